"""The course finds the daemon that the Docker CLI would use."""

import hashlib
import json
from pathlib import Path

import pytest

from docker_tutor.engines.endpoints import DEFAULT, current
from docker_tutor.engines.existing import ExistingEngine
from docker_tutor.errors import EngineNotFound
from docker_tutor.paths import runtime_folder


@pytest.fixture
def config(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which the CLI's folder is an empty one."""
    return {"DOCKER_CONFIG": str(tmp_path)}


def context(folder: str, name: str, host: str) -> None:
    number = hashlib.sha256(name.encode()).hexdigest()
    meta = Path(folder, "contexts/meta", number)
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host}}}))


def test_docker_host_goes_before_everything(config: dict[str, str]) -> None:
    context(config["DOCKER_CONFIG"], "other", "unix:///other.sock")
    found = current(config | {"DOCKER_HOST": "unix:///mine.sock", "DOCKER_CONTEXT": "other"})
    assert (found.address, found.origin) == ("unix:///mine.sock", "DOCKER_HOST")


def test_the_current_context_of_the_cli_is_used(config: dict[str, str]) -> None:
    context(config["DOCKER_CONFIG"], "colima", "unix:///colima.sock")
    Path(config["DOCKER_CONFIG"], "config.json").write_text('{"currentContext": "colima"}')
    assert current(config).socket == Path("/colima.sock")


def test_a_context_of_the_environment_goes_before_the_current_one(config: dict[str, str]) -> None:
    context(config["DOCKER_CONFIG"], "other", "unix:///other.sock")
    Path(config["DOCKER_CONFIG"], "config.json").write_text('{"currentContext": "colima"}')
    assert current(config | {"DOCKER_CONTEXT": "other"}).address == "unix:///other.sock"


def test_without_any_of_them_it_is_the_default_socket(config: dict[str, str]) -> None:
    assert current(config).address == DEFAULT


def test_a_context_that_is_not_there_is_named(config: dict[str, str]) -> None:
    with pytest.raises(EngineNotFound, match="nowhere"):
        current(config | {"DOCKER_CONTEXT": "nowhere"})


def test_a_broken_configuration_of_the_cli_counts_as_none(config: dict[str, str]) -> None:
    Path(config["DOCKER_CONFIG"], "config.json").write_text("{ half")
    assert current(config).address == DEFAULT


def test_a_gateways_own_socket_is_not_taken_for_a_daemon(config: dict[str, str]) -> None:
    gateway = runtime_folder() / "scope/docker.sock"
    assert current(config | {"DOCKER_HOST": f"unix://{gateway}"}).address == DEFAULT


def test_tls_files_of_an_endpoint_are_known(config: dict[str, str]) -> None:
    found = current(config | {"DOCKER_HOST": "tcp://h:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certs"})
    assert found.tls_folder == Path("/certs")


def test_an_endpoint_of_another_kind_is_refused_with_a_way_out(config: dict[str, str]) -> None:
    far = current(config | {"DOCKER_HOST": "npipe:////./pipe/docker"})
    with pytest.raises(EngineNotFound, match=r"DOCKER_HOST names npipe:.*DOCKER_TUTOR_ENGINE"):
        ExistingEngine(far)
