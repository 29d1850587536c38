"""The DNS client that runs inside containers, against a name server of the test's own on this machine."""

import json
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from docker_tutor.topics.networks_names import DNS

NAME = b"\x03web\x00"


def reply(question: bytes) -> bytes:
    """Answer a question for `web` with two addresses behind a compressed name; any other with NXDOMAIN."""
    asked = question[12:]
    if not asked.startswith(NAME):
        return question[:2] + struct.pack(">5H", 0x8183, 1, 0, 0, 0) + asked
    answers = b"".join(
        struct.pack(">3HIH", 0xC00C, 1, 1, 600, 4) + socket.inet_aton(address)
        for address in ("172.20.0.3", "172.20.0.2")
    )
    return question[:2] + struct.pack(">5H", 0x8180, 1, 2, 0, 0) + asked + answers


@pytest.fixture
def port() -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                question, sender = server.recvfrom(512)
                if not question:
                    return
                server.sendto(reply(question), sender)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.sendto(b"", server.getsockname())
        thread.join()


def ask(port: int, name: str, folder: Path, times: int = 1) -> list[dict[str, object]]:
    """Run the program as a container would, with the test's name server in place of port 53."""
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\n", encoding="ascii")
    program = DNS.replace("/etc/resolv.conf", str(folder / "resolv.conf")).replace("(server, 53)", f"(server, {port})")
    words = [sys.executable, "-c", program, str(times), "1", name]
    found: list[dict[str, object]] = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)[
        "replies"
    ]
    return found


def test_addresses_come_in_the_order_of_the_answer(port: int, tmp_path: Path) -> None:
    (found,) = ask(port, "web", tmp_path)
    assert (found["code"], found["answers"], found["ttl"]) == (0, ["172.20.0.3", "172.20.0.2"], 600)


def test_a_name_that_nobody_has_is_code_3(port: int, tmp_path: Path) -> None:
    (found,) = ask(port, "nobody", tmp_path)
    assert (found["code"], found["answers"]) == (3, [])


def test_every_question_is_asked_anew(port: int, tmp_path: Path) -> None:
    assert len(ask(port, "web", tmp_path, times=4)) == 4
