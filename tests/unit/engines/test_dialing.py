from pathlib import Path

import pytest

from docker_tutor.engines import dialing
from docker_tutor.errors import EngineNotFound


def test_an_address_carries_the_folder_of_its_certificates() -> None:
    address = dialing.with_tls("tcp://far:2376", Path("/home/me/my certs"))
    assert dialing.tls_folder(address) == Path("/home/me/my certs")
    assert dialing.with_tls("unix:///var/run/docker.sock", Path("/certs")) == "unix:///var/run/docker.sock"
    assert dialing.tls_folder("tcp://far:2375") is None


@pytest.mark.parametrize(
    ("address", "port"), [("tcp://far", 2375), ("tcp://far?tls=/certs", 2376), ("tcp://far:99?tls=/certs", 99)]
)
def test_a_port_that_is_not_named_is_dockers_own(address: str, port: int) -> None:
    assert dialing.host_and_port(address) == ("far", port)


def test_addresses_that_can_be_reached_are_known() -> None:
    known = ["unix:///run/docker.sock", "tcp://far:2376", "ssh://me@far:22"]
    assert [
        address for address in [*known, "npipe:////./pipe/docker", "tcp://", "far", ""] if dialing.known(address)
    ] == known


def test_ssh_never_waits_for_a_password() -> None:
    words = dialing.ssh_words("ssh://me@far:2222")
    assert "BatchMode=yes" in words
    assert words[-4:] == ["far", "docker", "system", "dial-stdio"]


def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(EngineNotFound, match="no address of a Docker daemon"):
        dialing.connect("npipe:////./pipe/docker", 1)
