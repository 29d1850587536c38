"""What listens in the private engine is reached at 127.0.0.1, and at no other address of this machine."""

import contextlib
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from ports import echoed, free_port
from waiting import until

from docker_tutor.engines.base import Engine, ForwardedPort
from docker_tutor.engines.packages import mirrors
from docker_tutor.engines.private.engine import PrivateEngine

pytestmark = pytest.mark.engine

SEEN_WITHIN_S = 5

Docker = Callable[..., str]
WEB = ("tiny", "httpd", "-f", "-h", "/www", "-p")
ECHO = """
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((sys.argv[1], int(sys.argv[2])))
print("bound", flush=True)
while True:
    data, peer = server.recvfrom(100)
    server.sendto(data, peer)
"""


@pytest.fixture(scope="module")
def docker(private_engine: PrivateEngine, docker_of: Callable[[Engine], Docker]) -> Docker:
    return docker_of(private_engine)


@pytest.fixture
def run(docker: Docker) -> Iterator[Docker]:
    """`docker run --detach …`; the containers are removed at the end."""
    ids: list[str] = []

    def start(*words: str) -> str:
        ids.append(docker("run", "--detach", *words))
        return ids[-1]

    yield start
    docker("rm", "--force", *ids)


def page(port: int, host: str = "127.0.0.1") -> str:
    found: list[str] = []

    def answered() -> bool:
        # A port that is there and hangs up: the program in the container has not got as far as listening.
        with (
            contextlib.suppress(ConnectionResetError),
            urllib.request.urlopen(f"http://{host}:{port}/", timeout=5) as answer,
        ):
            found.append(answer.read().decode())
        return bool(found)

    assert until(answered, SEEN_WITHIN_S)
    return found[0]


def port_of(engine: Engine, port: int) -> ForwardedPort | None:
    return next((known for known in engine.status().ports if known.port == port), None)


@contextmanager
def echo_server(enter: Sequence[str], address: str, port: int) -> Iterator[None]:
    """Echo datagrams in the namespace that the command `enter` enters."""
    command = [*enter, sys.executable, "-c", ECHO, address, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == "bound\n"
            yield
        finally:
            server.kill()


def test_a_published_port_answers_as_soon_as_docker_run_returns(run: Docker) -> None:
    port = free_port()
    run("--publish", f"{port}:80", *WEB, "80")
    assert page(port) == "hello\n"


def test_a_published_port_is_closed_to_the_outside(run: Docker) -> None:
    port = free_port()
    run("--publish", f"{port}:80", *WEB, "80")
    assert page(port) == "hello\n"
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing, and tells which address of ours faces the world
        outside = probe.getsockname()[0]
    with pytest.raises(urllib.error.URLError):
        page(port, outside)


def test_a_port_published_on_loopback_only_answers_too(run: Docker, private_engine: PrivateEngine) -> None:
    port = free_port()
    run("--publish", f"127.0.0.1:{port}:80", *WEB, "80")
    assert until(lambda: port_of(private_engine, port), SEEN_WITHIN_S)
    assert page(port) == "hello\n"


def test_a_listener_in_the_host_network_answers(run: Docker, private_engine: PrivateEngine) -> None:
    port = free_port()
    run("--network", "host", *WEB, str(port))
    assert until(lambda: port_of(private_engine, port), SEEN_WITHIN_S)
    assert page(port) == "hello\n"


def test_a_port_is_withdrawn_when_its_container_goes(docker: Docker, private_engine: PrivateEngine) -> None:
    port = free_port()
    container = docker("run", "--detach", "--publish", f"{port}:80", *WEB, "80")
    assert until(lambda: port_of(private_engine, port), SEEN_WITHIN_S)
    docker("rm", "--force", container)
    assert until(lambda: port_of(private_engine, port) is None, SEEN_WITHIN_S)
    with socket.socket() as again:
        again.bind(("127.0.0.1", port))


def test_datagrams_reach_a_published_udp_port(run: Docker, docker: Docker, private_engine: PrivateEngine) -> None:
    port = free_port(socket.SOCK_DGRAM)
    container = run("--publish", f"{port}:9000/udp", "tiny", "sleep", "600")
    pid = docker("inspect", "--format", "{{.State.Pid}}", container)
    with echo_server(["nsenter", f"--net=/proc/{pid}/ns/net"], "0.0.0.0", 9000):  # noqa: S104 - inside the container
        assert until(lambda: port_of(private_engine, port), SEEN_WITHIN_S)
        assert echoed(port, b"ping")


def test_datagrams_reach_a_listener_in_the_host_network_and_it_is_withdrawn(private_engine: PrivateEngine) -> None:
    port = free_port(socket.SOCK_DGRAM)
    with echo_server(private_engine.tools.enter or (), "0.0.0.0", port):  # noqa: S104 - inside the engine's network
        assert until(lambda: port_of(private_engine, port), SEEN_WITHIN_S)
        assert echoed(port, b"ping")
    assert until(lambda: port_of(private_engine, port) is None, SEEN_WITHIN_S)


def test_a_port_that_is_taken_here_is_reported_and_reached_once_it_is_free(
    run: Docker, private_engine: PrivateEngine
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        run("--publish", f"{port}:80", *WEB, "80")
        assert until(lambda: port_of(private_engine, port), SEEN_WITHIN_S)
        known = port_of(private_engine, port)
        assert known is not None
        assert not known.reached
        assert str(port) in private_engine.status().detail
    assert until(lambda: (again := port_of(private_engine, port)) is not None and again.reached, SEEN_WITHIN_S)
    assert page(port) == "hello\n"


def test_containers_and_build_steps_resolve_names_of_the_outside(docker: Docker, tmp_path: Path) -> None:
    mirror = urllib.parse.urlsplit(mirrors().uri).hostname or ""
    assert f"Name:\t{mirror}" in docker("run", "--rm", "tiny", "nslookup", mirror)
    (tmp_path / "Dockerfile").write_text(f'FROM tiny\nRUN ["nslookup", "{mirror}"]\n', encoding="utf-8")
    docker("build", "--no-cache", str(tmp_path))
