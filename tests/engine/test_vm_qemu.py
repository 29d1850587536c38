"""The second machine, QEMU, booted once: the same guest and the same ways in and out as on User-Mode Linux."""

import os
import socket
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from docker_tutor.engines.base import Engine
from docker_tutor.engines.vm.engine import VmEngine

pytestmark = pytest.mark.engine

Docker = Callable[..., str]


@pytest.fixture(scope="module")
def docker(emulated: VmEngine, docker_of: Callable[[Engine], Docker]) -> Docker:
    return docker_of(emulated)


def test_a_container_runs_on_debians_kernel_with_two_cpus(emulated: VmEngine, docker: Docker) -> None:
    assert "cloud-amd64" in docker("run", "--rm", "tiny", "cat", "/proc/sys/kernel/osrelease")
    able = emulated.capabilities()
    assert able.cpus == 2
    assert able.cgroup_version == 2
    assert emulated.status().state == "running"


def test_a_folder_is_mounted_as_typed_and_seen_from_both_sides(docker: Docker, tmp_path: Path) -> None:
    (tmp_path / "ours").write_text("from outside\n", encoding="utf-8")
    said = docker("run", "--rm", "-v", f"{tmp_path}:/w", "tiny", "sh", "-c", "cat /w/ours; echo inside >/w/theirs")
    assert said == "from outside"
    assert (tmp_path / "theirs").read_text(encoding="utf-8") == "inside\n"
    assert (tmp_path / "theirs").stat().st_uid == os.geteuid()


def test_a_published_port_is_reached_at_the_loopback(emulated: VmEngine, docker: Docker) -> None:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    docker("run", "--detach", "--name", "web", "--publish", f"{port}:80", "tiny", "httpd", "-f", "-h", "/www")
    until = time.monotonic() + 30
    answer = b""
    while not answer and time.monotonic() < until:
        try:
            answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10).read()
        except OSError:
            time.sleep(0.05)  # nothing tells when a program in a container begins to listen
    assert answer == b"hello\n"
    docker("rm", "--force", "web")
