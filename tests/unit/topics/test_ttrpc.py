"""A ttrpc call is a frame and a message: written and read here against a shim of three lines."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from docker_tutor.errors import CommandFailed
from docker_tutor.topics import ttrpc

HEADER = struct.Struct(">IIBB")
PIDS = bytes([0x08, 0xD2, 0x09, 0x10, 0x05])
"""A message with field 1 = 1234 and field 2 = 5."""


@pytest.fixture
def shim(tmp_path: Path) -> Iterator[Callable[[list[bytes]], str]]:
    """Start something that answers one call after the other with the given messages."""
    path, threads, listeners = str(tmp_path / "shim"), [], []

    def start(answers: list[bytes]) -> str:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
        listeners.append(listener)
        threads.append(threading.Thread(target=_answer, args=(listener, answers)))
        threads[-1].start()
        return path

    yield start
    for thread in threads:
        thread.join()
    for listener in listeners:
        listener.close()


def _answer(listener: socket.socket, answers: list[bytes]) -> None:
    for answer in answers:
        connection, _peer = listener.accept()
        with connection:
            length, stream, kind, _flags = HEADER.unpack(connection.recv(HEADER.size))
            assert (stream, kind) == (1, 1)
            assert b"Connect" in connection.recv(length)
            connection.sendall(HEADER.pack(len(answer), 1, 2, 0) + answer)


def test_the_pids_of_the_answer_are_read(shim: Callable[[list[bytes]], str]) -> None:
    answer = ttrpc.connect(shim([bytes([0x12, len(PIDS)]) + PIDS]), "f" * 64)
    assert (answer.shim_pid, answer.task_pid) == (1234, 5)
    assert answer.service == ttrpc.SERVICES[0]


def test_a_shim_of_another_generation_is_asked_for_the_other_service(shim: Callable[[list[bytes]], str]) -> None:
    refusal = bytes([0x0A, 9, 0x08, 12, 0x12, 5]) + b"no :("
    answer = ttrpc.connect(shim([refusal, bytes([0x12, len(PIDS)]) + PIDS]), "id")
    assert answer.service == ttrpc.SERVICES[1]


def test_a_refusal_is_said(shim: Callable[[list[bytes]], str]) -> None:
    refusal = bytes([0x0A, 9, 0x08, 12, 0x12, 5]) + b"no :("
    with pytest.raises(CommandFailed, match=r"no :\("):
        ttrpc.connect(shim([refusal, refusal]), "id")


def test_a_connection_that_is_closed_is_said(tmp_path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "mute"))
    listener.listen()

    def hang_up() -> None:
        listener.accept()[0].close()

    thread = threading.Thread(target=hang_up)
    thread.start()
    with pytest.raises(CommandFailed, match="does not answer"):
        ttrpc.connect(str(tmp_path / "mute"), "id")
    thread.join()
    listener.close()


def test_no_shim_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="does not answer"):
        ttrpc.connect(str(tmp_path / "nobody"), "id")
