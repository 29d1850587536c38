"""What a gateway carries: terminals, pipes, logs, builds, Compose — unchanged, and let go of in the end."""

import contextlib
import io
import json
import os
import pty
import select
import signal
import socket
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import NotFound

SPARE = 4
"""The connections that a gateway keeps for its own questions."""

pytestmark = pytest.mark.engine

# The fixtures' own types live in conftest.py, which a test module cannot import.
Docker = Callable[..., str]
Door = Any
Opened = Callable[..., Door]


def read_terminal(descriptor: int, until: str) -> str:
    seen = ""
    while until not in seen and select.select([descriptor], [], [], 20)[0]:
        seen += os.read(descriptor, 4096).decode(errors="replace")
    return seen


def test_a_terminal_works_through_the_gateway(door: Door) -> None:
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe("docker", ["docker", "run", "-it", "--rm", "tiny", "sh"], door.environment)  # noqa: S606 - a terminal needs a fork
    try:
        read_terminal(terminal, "#")
        os.write(terminal, b"echo $((6*7))\n")
        assert "42" in read_terminal(terminal, "42")
        os.write(terminal, b"exit 3\n")
        with contextlib.suppress(OSError):  # how Linux says that the other side of a terminal has closed
            read_terminal(terminal, "never printed")
    finally:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
        os.close(terminal)


def test_the_end_of_input_reaches_the_container(door: Door) -> None:
    assert door("run", "--rm", "-i", "tiny", "cat", given="one\ntwo\n") == "one\ntwo"


def test_output_that_follows_the_end_of_input_arrives(door: Door) -> None:
    script = "cat > /dev/null; sleep 0.3; echo after"
    assert door("run", "--rm", "-i", "tiny", "sh", "-c", script, given="x") == "after"


def test_what_a_container_said_before_it_ended_is_heard_while_its_input_still_comes(door: Door) -> None:
    said = [
        door("run", "--rm", "-i", "tiny", "sh", "-c", "read line; echo heard", given="x\n" * 500_000) for _ in "12345"
    ]
    assert said == 5 * ["heard"]


def test_an_exit_status_comes_through(door: Door) -> None:
    assert door.run("run", "--rm", "tiny", "sh", "-c", "exit 7").returncode == 7


def test_exec_gets_input_and_gives_both_outputs(door: Door) -> None:
    door("run", "-d", "--name", "work", "tiny", "sleep", "600")
    done = door.run("exec", "-i", "work", "sh", "-c", "cat; echo err >&2", given="in")
    assert (done.stdout, done.stderr, done.returncode) == ("in", "err\n", 0)


def test_exec_without_an_upgrade_header_works(door: Door) -> None:
    door("run", "-d", "--name", "work", "tiny", "sleep", "600")
    with closing(docker.APIClient(door.gateway.address)) as api:
        made = api.exec_create("work", ["cat"], stdin=True)["Id"]
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(door.gateway.address.removeprefix("unix://"))
        body = json.dumps({"Detach": False, "Tty": False}).encode()
        head = f"POST /exec/{made}/start HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n"
        sock.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = sock.recv(4096)
        assert answer.startswith(b"HTTP/1.1 200"), answer
        sock.sendall(b"hello\n")
        sock.shutdown(socket.SHUT_WR)
        while data := sock.recv(4096):
            answer += data
    assert answer.endswith(b"\x06hello\n")


def test_following_logs_ends_with_the_container_and_cancelling_ends_at_once(door: Door) -> None:
    door("run", "-d", "--name", "talk", "tiny", "sh", "-c", "while true; do echo tick; sleep 0.1; done")
    follow = door.open("logs", "-f", "talk")
    assert follow.stdout.readline() == "tick\n"
    follow.send_signal(signal.SIGINT)
    follow.communicate(timeout=10)
    assert door.let_go_of("/logs")
    follow = door.open("logs", "-f", "talk")
    assert follow.stdout.readline() == "tick\n"
    door("rm", "-f", "talk")
    follow.communicate(timeout=10)


def test_cancelling_ends_a_question_that_has_no_answer_yet(door: Door) -> None:
    door("run", "-d", "--name", "work", "tiny", "sleep", "600")
    waiting = door.open("wait", "work")
    events = door.open("events", "--since", "1h")
    assert events.stdout.readline()
    for command in (waiting, events):
        command.send_signal(signal.SIGINT)
        command.communicate(timeout=10)
    assert door.let_go_of("/wait")
    assert door.let_go_of("/events")


def test_a_client_that_was_done_with_sending_and_then_leaves_is_noticed(door: Door) -> None:
    door("create", "-i", "--name", "quiet", "tiny", "sh", "-c", "cat; echo end of input; sleep 600")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(door.gateway.address.removeprefix("unix://"))
        sock.sendall(b"POST /containers/quiet/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: d\r\n")
        sock.sendall(b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
        answer = sock.recv(4096)
        assert answer.startswith(b"HTTP/1.1 101")
        door("start", "quiet")
        sock.shutdown(socket.SHUT_WR)
        while b"end of input" not in answer:
            answer += sock.recv(4096)
    assert door.let_go_of("/attach")


def test_copying_in_and_out_keeps_every_byte(door: Door, tmp_path: Path) -> None:
    blob = os.urandom(3_000_000)
    (tmp_path / "in").write_bytes(blob)
    door("create", "--name", "box", "tiny", "true")
    door("cp", str(tmp_path / "in"), "box:/blob")
    door("cp", "box:/blob", str(tmp_path / "out"))
    assert (tmp_path / "out").read_bytes() == blob


def test_a_build_with_buildkit_is_unharmed_and_recorded(door: Door, build_folder: Path) -> None:
    door("buildx", "build", "-t", "gw-built:1", str(build_folder))
    assert {entry.name for entry in door.gateway.ledger().of("tag")} == {"gw-built:1"}
    upgraded = {call.path for call in door.gateway.calls() if call.upgraded}
    assert {"/grpc", "/session"} <= upgraded
    assert "gw-built:1" in door.gateway.close().images


def test_a_classic_build_carries_the_label(door: Door, build_folder: Path) -> None:
    with closing(docker.DockerClient(door.gateway.address)) as client:
        image, _log = client.images.build(path=str(build_folder), tag="gw-classic:1")
        assert image.labels["docker-tutor.scope"] == door.gateway.scope
        door.gateway.close()


def test_compose_goes_up_and_down_and_a_second_up_changes_nothing(door: Door, tmp_path: Path) -> None:
    service = "image: tiny\n    command: sleep 600\n    volumes: ['data:/data']\n"
    (tmp_path / "compose.yaml").write_text(f"services:\n  web:\n    {service}volumes:\n  data:\n", encoding="utf-8")
    compose = ("compose", "-p", "gwproject", "-f", str(tmp_path / "compose.yaml"))
    door(*compose, "up", "-d")
    first = door(*compose, "ps", "-q")
    door(*compose, "up", "-d")
    assert door(*compose, "ps", "-q") == first
    assert door(*compose, "exec", "-T", "web", "echo", "inside") == "inside"
    door(*compose, "down", "-v", "-t", "0")
    assert door("ps", "-aq", "--filter", "label=com.docker.compose.project=gwproject") == ""


def test_loading_answers_while_it_still_reads(door: Door, direct: Docker, tmp_path: Path) -> None:
    direct("save", "-o", str(tmp_path / "tiny.tar"), "tiny")
    assert "Loaded image" in door("load", "-i", str(tmp_path / "tiny.tar"))
    assert [entry.name for entry in door.gateway.ledger().of("tag")] == []
    # The image was here before the scope: loading it again is no reason to take it away from everyone.
    door.gateway.close()
    direct("image", "inspect", "tiny")


def test_the_sdk_keeps_one_connection_for_many_calls(door: Door) -> None:
    with closing(docker.DockerClient(door.gateway.address)) as client:
        client.ping()
        before = door.descriptors()
        for _call in range(2000):
            client.ping()
        assert door.descriptors() == before
    assert len(door.gateway.calls()) >= 2000


def test_two_thousand_connections_leave_no_descriptor(door: Door) -> None:
    def ask() -> None:
        with closing(docker.APIClient(door.gateway.address, version="1.44")) as api, pytest.raises(NotFound):
            api.inspect_container("nobody")

    ask()
    door.gateway.calls()
    before = door.descriptors()
    for _connection in range(2000):
        ask()
    door.gateway.calls()
    assert door.descriptors() <= before + SPARE


def test_a_side_that_leaves_in_the_middle_of_a_body_is_dropped(door: Door) -> None:
    before = door.descriptors()
    for head in 5 * (
        b"POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Length: 100\r\n\r\n{",
        b"POST /images/load HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"GET /containers/json HTT",
        b"no HTTP at all\r\n\r\n",
    ):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(door.gateway.address.removeprefix("unix://"))
            sock.sendall(head)
    door("version")
    door.gateway.calls()
    assert door.descriptors() <= before + SPARE


def test_a_tar_streamed_in_by_the_sdk_arrives(door: Door) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        info = tarfile.TarInfo("file")
        info.size = 5
        tar.addfile(info, io.BytesIO(b"12345"))
    with closing(docker.DockerClient(door.gateway.address)) as client:
        container = client.containers.create("tiny", "true")
        assert container.put_archive("/", packed.getvalue())
        _stream, stat = container.get_archive("/file")
        assert stat["size"] == 5
        _stream.close()
