"""A ttrpc call is a frame and a message: written and read here against a shim of three lines."""

import struct
from collections.abc import Callable

import pytest

from docker_tutor.errors import CommandFailed
from docker_tutor.topics import ttrpc

HEADER = struct.Struct(">IIBB")
PIDS = bytes([0x08, 0xD2, 0x09, 0x10, 0x05])
"""A message with field 1 = 1234 and field 2 = 5."""
REFUSAL = bytes([0x0A, 9, 0x08, 12, 0x12, 5]) + b"no :("


def _shim(*answers: bytes) -> Callable[[bytes], bytes]:
    """Return something that answers one call after the other with the given messages."""
    left = list(answers)

    def answer(frame: bytes) -> bytes:
        length, stream, kind, _flags = HEADER.unpack(frame[: HEADER.size])
        assert (stream, kind, length) == (1, 1, len(frame) - HEADER.size)
        assert b"Connect" in frame
        return left.pop(0)

    return answer


def test_the_pids_of_the_answer_are_read() -> None:
    answer = ttrpc.connect(_shim(bytes([0x12, len(PIDS)]) + PIDS), "f" * 64)
    assert (answer.shim_pid, answer.task_pid) == (1234, 5)
    assert answer.service == ttrpc.SERVICES[0]


def test_a_shim_of_another_generation_is_asked_for_the_other_service() -> None:
    answer = ttrpc.connect(_shim(REFUSAL, bytes([0x12, len(PIDS)]) + PIDS), "id")
    assert answer.service == ttrpc.SERVICES[1]


def test_a_refusal_is_said() -> None:
    with pytest.raises(CommandFailed, match=r"no :\("):
        ttrpc.connect(_shim(REFUSAL, REFUSAL), "id")
