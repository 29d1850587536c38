"""A whole Linux as a process: what runs in it, how it is reached, and by whom it is not."""

import os
import platform
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ports import echoed, free_port
from waiting import until

from docker_tutor.engines.base import Engine
from docker_tutor.engines.dialing import host_and_port
from docker_tutor.engines.port_ranges import FIRST
from docker_tutor.engines.vm.engine import VmEngine

pytestmark = pytest.mark.engine

SEEN_WITHIN_S = 10

Docker = Callable[..., str]
NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
PYTHON = shutil.which("python3", path="/usr/bin") or sys.executable
"""One that another user may run."""

DOCKERFILE = """\
FROM tiny
RUN echo built > /built
CMD ["cat", "/built"]
"""
ECHO = """\
import socket
server = socket.socket(type=socket.SOCK_DGRAM)
server.bind(("0.0.0.0", 9000))
while True:
    server.sendto(*server.recvfrom(70000))
"""
GUESTS_PYTHON = ("--volume", "/usr:/usr:ro", "--volume", "/usr/lib64:/lib64:ro", "tiny", "python3", "-S", "-c")
STRANGER = """\
import socket, ssl, sys
try:
    open(sys.argv[2])
except PermissionError:
    print("the key is not readable")
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
try:
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as plain:
        with context.wrap_socket(plain) as connection:
            connection.sendall(b"GET /containers/json HTTP/1.1\\r\\nHost: d\\r\\n\\r\\n")
            print("answered", connection.recv(100))
except OSError as error:
    print("refused", error)
"""


@pytest.fixture
def docker(machine: VmEngine, docker_of: Callable[[Engine], Docker]) -> Iterator[Docker]:
    docker = docker_of(machine)
    yield docker
    if left := docker("ps", "--all", "--quiet").split():
        docker("rm", "--force", *left)


def reached(machine: VmEngine) -> set[int]:
    return {found.port for found in machine.status().ports if found.reached}


def answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10).close()
    except OSError:
        return False
    return True


def page(port: int, machine: VmEngine) -> str:
    """Return what is served at 127.0.0.1:`port`, once the keeper says that it is reached."""
    assert until(lambda: port in reached(machine), SEEN_WITHIN_S)
    # Docker listens on its own account before the container's program does.
    assert until(lambda: answers(port), SEEN_WITHIN_S)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        return str(answer.read().decode())


def test_a_container_runs_on_a_kernel_of_its_own(docker: Docker) -> None:
    release = docker("run", "--rm", "tiny", "cat", "/proc/sys/kernel/osrelease")
    assert release != platform.release()
    assert docker("info", "--format", "{{.KernelVersion}}") == release


def test_an_image_is_built_from_a_folder_of_this_machine(docker: Docker, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    docker("buildx", "build", "--quiet", "--tag", "built", str(tmp_path))
    assert docker("run", "--rm", "built") == "built"


def test_a_folder_is_mounted_as_typed_and_seen_from_both_sides(docker: Docker, tmp_path: Path) -> None:
    (tmp_path / "ours").write_text("from outside\n", encoding="utf-8")
    said = docker(
        "run", "--rm", "--volume", f"{tmp_path}:/w", "tiny", "sh", "-c", "cat /w/ours; echo inside >/w/theirs"
    )
    assert said == "from outside"
    assert (tmp_path / "theirs").read_text(encoding="utf-8") == "inside\n"
    (tmp_path / "ours").write_text("changed\n", encoding="utf-8")
    assert docker("run", "--rm", "--volume", f"{tmp_path}:/w", "tiny", "cat", "/w/ours") == "changed"


@pytest.mark.parametrize("address", ["", "127.0.0.1:"])
def test_a_published_port_is_reached_at_the_loopback_until_the_container_goes(
    machine: VmEngine, docker: Docker, address: str
) -> None:
    port = free_port()
    docker("run", "--detach", "--publish", f"{address}{port}:80", "tiny", "httpd", "-f", "-h", "/www")
    assert page(port, machine) == "hello\n"
    docker("rm", "--force", *docker("ps", "--quiet").split())
    assert until(lambda: port not in reached(machine), SEEN_WITHIN_S)
    with pytest.raises(OSError, match=r"refused"):
        socket.create_connection(("127.0.0.1", port))


def test_datagrams_reach_a_published_udp_port_and_so_do_their_answers(machine: VmEngine, docker: Docker) -> None:
    port = free_port(socket.SOCK_DGRAM)
    container = docker("run", "--detach", "--publish", f"{port}:9000/udp", *GUESTS_PYTHON, ECHO)
    assert until(lambda: port in reached(machine), SEEN_WITHIN_S)
    assert until(lambda: echoed(port, b"ping", within_s=1), SEEN_WITHIN_S)
    assert echoed(port, b"x" * 8000)
    docker("rm", "--force", container)
    assert until(lambda: port not in reached(machine), SEEN_WITHIN_S)


def test_a_listener_in_the_engines_own_network_is_reached(machine: VmEngine, docker: Docker) -> None:
    port = free_port()
    docker("run", "--detach", "--network", "host", "tiny", "httpd", "-f", "-p", str(port), "-h", "/www")
    assert page(port, machine) == "hello\n"


def test_ports_that_docker_chooses_are_not_those_of_another_engine(machine: VmEngine, docker: Docker) -> None:
    docker("run", "--detach", "--name", "chosen", "--publish", "80", "tiny", "httpd", "-f", "-h", "/www")
    port = int(docker("port", "chosen", "80").splitlines()[0].rpartition(":")[2])
    assert FIRST < port < 32768
    first = port - port % 1000
    with socket.socket() as trial, pytest.raises(OSError, match="in use"):
        trial.bind(("127.0.0.1", first))  # held for as long as the machine runs
    assert page(port, machine) == "hello\n"


def test_programs_of_the_guest_are_typed_here(machine: VmEngine, docker: Docker, tmp_path: Path) -> None:
    running = docker("run", "--detach", "--network", "none", "tiny", "sleep", "600")

    def typed(*words: str) -> str:
        host = machine.address.partition("?")[0]
        found = os.environ | {"DOCKER_HOST": host, "DOCKER_TLS_VERIFY": "1"}
        found["DOCKER_CERT_PATH"] = str(machine.layout.certificates)
        found["PATH"] = os.pathsep.join([*map(str, machine.tools.path), os.environ["PATH"]])
        return subprocess.run(words, capture_output=True, text=True, check=True, env=found, cwd=tmp_path).stdout

    assert running in typed("ctr", "--namespace", "moby", "tasks", "list")
    typed("runc", "spec")
    assert "ociVersion" in (tmp_path / "config.json").read_text(encoding="utf-8")


def test_a_port_that_is_taken_here_is_said_to_be_unreached(machine: VmEngine, docker: Docker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        docker("run", "--detach", "--publish", f"{port}:80", "tiny", "httpd", "-f", "-h", "/www")
        assert until(lambda: port in {found.port for found in machine.status().ports}, SEEN_WITHIN_S)
        found = next(each for each in machine.status().ports if each.port == port)
        assert not found.reached
        assert "has the port" in found.note


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_of_the_machine_does_not_get_in(machine: VmEngine, docker: Docker) -> None:
    assert docker("version", "--format", "{{.Server.Os}}") == "linux"
    _host, port = host_and_port(machine.address)
    words = [*NOBODY, PYTHON, "-c", STRANGER, str(port), str(machine.layout.certificates / "key.pem")]
    said = subprocess.run(words, capture_output=True, text=True, check=True, cwd="/").stdout
    assert "the key is not readable" in said
    assert "refused" in said
    assert "answered" not in said


def test_what_is_inside_does_not_reach_what_listens_on_our_loopback(docker: Docker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as ours:
        ours.settimeout(0)
        port = ours.getsockname()[1]
        docker("run", "--rm", "tiny", "sh", "-c", f"wget -T 2 -q -O - http://10.0.2.2:{port}/; echo done")
        with pytest.raises(BlockingIOError):
            ours.accept()


def test_what_it_can_do_is_asked_and_not_taken_from_this_machine(machine: VmEngine) -> None:
    able = machine.capabilities()
    assert able.cpus == 1
    assert able.cgroup_version == 2
    assert able.disposable
    assert able.swap_limit
    assert not any((able.host_processes, able.host_cgroups, able.host_layers))
    assert machine.status().state == "running"


def test_up_again_returns_at_once(machine: VmEngine) -> None:
    before = machine.layout.state.read_text(encoding="utf-8")
    machine.up()
    assert machine.layout.state.read_text(encoding="utf-8") == before
