"""The second machine, QEMU, booted once: the same guest and the same ways in and out as on User-Mode Linux.

And one more: its state is saved when it goes down, and it goes on where it was.
"""

import datetime as dt
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ports import echoed, free_port
from waiting import until

from docker_tutor.dev import sandbox
from docker_tutor.engines.base import Engine
from docker_tutor.engines.vm import image as images
from docker_tutor.engines.vm import qemu_parts, sample
from docker_tutor.engines.vm.engine import VmEngine
from docker_tutor.engines.vm.machine import Machine
from docker_tutor.engines.vm.stopping import leftovers
from docker_tutor.paths import cache_folder, runtime_folder
from docker_tutor.processes import running
from docker_tutor.units import MiB

pytestmark = pytest.mark.engine

Docker = Callable[..., str]
NOBODY_ELSE = 64124
CLOCK_WITHIN_S = 5
"""On a busy machine an answer takes a while."""
STRICT = (
    *("setpriv", "--reuid", str(NOBODY_ELSE), "--regid", str(NOBODY_ELSE), "--clear-groups"),
    *("--no-new-privs", "--bounding-set", "-all"),
)
PYTHON = f"python3.{sys.version_info.minor}"
ECHO = """\
import socket
server = socket.socket(type=socket.SOCK_DGRAM)
server.bind(("0.0.0.0", 9000))
while True:
    server.sendto(*server.recvfrom(70000))
"""
WORK = """\
import pathlib, sys
from docker_tutor.engines import programs
from docker_tutor.engines.clients import sdk
from docker_tutor.engines.vm.engine import VmEngine
programs.ensure = lambda report: None  # the command line client is for people
engine = VmEngine("qemu")
engine.up()
try:
    client = sdk(engine.address, timeout=300)
    client.api.import_image_from_file(sys.argv[1], repository="tiny")
    folder = pathlib.Path.home() / "work"
    folder.mkdir()
    command = ["sh", "-c", "echo from the guest >/w/file"]
    client.containers.run("tiny", command, volumes={str(folder): {"bind": "/w"}}, remove=True)
    print((folder / "file").read_text().strip())
finally:
    engine.down(purge=True)
"""


# These come first, while no emulated guest takes the processor.


@pytest.mark.parametrize(("kind", "release"), [("uml", "6."), ("qemu", "cloud-amd64")])
def test_a_guest_is_measured_and_nothing_of_it_is_left(kind: str, release: str) -> None:
    before = {process.pid for process in running()}
    found = sample.take(kind, 'import json, os; print(json.dumps({"kernel": os.uname().release}))')
    assert release in found.said["kernel"]
    assert found.said["kernel"] != os.uname().release
    assert found.first_output_s > 0.1
    assert found.memory_bytes > 32 * MiB
    assert found.own_disk_bytes < found.disk_bytes
    left = {process.pid: Path(f"/proc/{process.pid}/cmdline") for process in running() if process.pid not in before}
    # Only ours: the suite's other lane may have chapter 1 measure guests of its own meanwhile.
    ours = os.fsencode(runtime_folder() / "sample-")
    assert [pid for pid, words in left.items() if words.exists() and ours in words.read_bytes()] == []


@pytest.mark.one_in(3)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_user_without_any_privilege_runs_a_container(tiny_tar: Path) -> None:
    home = Path(tempfile.mkdtemp(dir="/var/tmp", prefix="docker-tutor-test-"))
    try:
        sandbox.link_cache(home)
        made = qemu_parts.ensure(images.ensure()).folder
        shutil.copytree(made, home / ".cache/docker-tutor" / made.relative_to(cache_folder()))
        sandbox.install(home)
        shutil.copy(tiny_tar, home / "tiny.tar")
        sandbox.own(home, NOBODY_ELSE)
        here: dict[str, Any] = {"env": sandbox.environment(home), "cwd": "/", "capture_output": True, "text": True}
        trial = subprocess.run([*STRICT, PYTHON, "-B", "-c", "import cryptography, docker_tutor"], check=False, **here)
        if trial.returncode:
            said = (trial.stderr.strip().splitlines() or ["?"])[-1]
            pytest.skip(f"another user cannot run this course's Python here: {said}")
        done = subprocess.run([*STRICT, PYTHON, "-B", "-c", WORK, str(home / "tiny.tar")], check=False, **here)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == "from the guest"
    finally:
        shutil.rmtree(home)


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


def page(port: int) -> bytes:
    """Return what is served there, as soon as something is."""

    def fetched() -> bytes:
        try:
            return bytes(urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10).read())
        except OSError:
            return b""  # nothing tells when a program in a container begins to listen

    return fetched() if until(fetched, 30) else b""


def test_a_published_port_is_reached_at_the_loopback(docker: Docker) -> None:
    port = free_port()
    docker("run", "--detach", "--name", "web", "--publish", f"{port}:80", "tiny", "httpd", "-f", "-h", "/www")
    assert page(port) == b"hello\n"
    docker("rm", "--force", "web")


def test_datagrams_reach_a_published_udp_port_and_so_do_their_answers(docker: Docker) -> None:
    port = free_port(socket.SOCK_DGRAM)
    # The guest's own Python: tiny has nothing that listens for datagrams.
    python = ("--volume", "/usr:/usr:ro", "--volume", "/usr/lib64:/lib64:ro", "tiny", "python3", "-S", "-c", ECHO)
    docker("run", "--detach", "--name", "echo", "--publish", f"{port}:9000/udp", *python)
    assert until(lambda: echoed(port, b"ping"), 60)
    assert echoed(port, b"x" * 8000)
    docker("rm", "--force", "echo")


def test_after_down_it_goes_on_where_it_was(emulated: VmEngine, docker: Docker, tmp_path: Path) -> None:
    port = free_port()
    serve = "exec 3>/w/open; httpd -h /www; while :; do echo on >&3; sleep 1; done"
    words = ("--publish", f"{port}:80", "--volume", f"{tmp_path}:/w")
    docker("run", "--detach", "--name", "web", *words, "tiny", "sh", "-c", serve)
    assert page(port) == b"hello\n"
    emulated.down()
    assert emulated.status().state == "stopped"
    written = (tmp_path / "open").stat().st_size
    assert written
    emulated.up()
    assert Machine.read(emulated.layout.machine).resumes
    now = dt.datetime.fromisoformat(docker("info", "--format", "{{.SystemTime}}")[:26]).replace(tzinfo=dt.UTC)
    assert abs(time.time() - now.timestamp()) < CLOCK_WITHIN_S
    assert docker("ps", "--format", "{{.Names}}") == "web"
    assert page(port) == b"hello\n"
    assert until(lambda: (tmp_path / "open").stat().st_size > written, 30)  # what was open there is written to
    docker("rm", "--force", "web")
    assert docker("run", "--rm", "tiny", "echo", "still") == "still"


def test_a_state_that_qemu_does_not_take_is_given_up_without_a_trace(emulated: VmEngine) -> None:
    emulated.down()
    state = emulated.layout.saved_state
    before = state.stat()
    with state.open("r+b") as opened:
        opened.write(b"not what it was" * 1000)
    os.utime(state, ns=(before.st_atime_ns, before.st_mtime_ns))  # so that nothing is seen from outside
    image = images.ensure()
    assert not emulated._start(image, qemu_parts.ensure(image))
    assert not emulated.layout.saved_stamp.exists()  # and so the next start is a boot
    emulated.down()
    assert leftovers(emulated.layout) == []
