"""One call over ttrpc, containerd's way to speak to its shims: what gRPC is to larger programs, in ten bytes of header.

Written for one question, `Connect` of the task service, which a shim answers with PIDs. Source: containerd/ttrpc,
PROTOCOL.md (length, stream, type and flags, then a message), and containerd's `task.proto`; protobuf's wire format.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import pandas as pd

from docker_tutor.errors import CommandFailed
from docker_tutor.i18n import _

__all__ = ["Connected", "connect"]

HEADER = struct.Struct(">IIBB")
REQUEST, LENGTH_DELIMITED = 1, 2
SERVICES = ("containerd.task.v2.Task", "containerd.task.v3.Task")
MORE = 0x80
"""Protobuf writes numbers seven bits at a time, the lowest first; this bit says that more follow."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A shim's answer."""

    service: str
    shim_pid: int
    task_pid: int
    """The container's PID 1, as the machine counts."""
    request_bytes: int
    response_bytes: int

    def to_frame(self) -> pd.DataFrame:
        """Return the answer, one fact per line."""
        facts = asdict(self)
        return pd.DataFrame({"fact": list(facts), "value": [str(value) for value in facts.values()]})


def connect(exchange: Callable[[bytes], bytes], container_id: str) -> Connected:
    """Ask a shim who it is and what it keeps. Raises CommandFailed.

    `exchange` sends it a frame, header and message, and returns the message of its answer.
    """
    refused = ""
    for service in SERVICES:
        call = _field(1, service.encode()) + _field(2, b"Connect") + _field(3, _field(1, container_id.encode()))
        frame = HEADER.pack(len(call), 1, REQUEST, 0) + call
        received = exchange(frame)
        answer = dict(_fields(received))
        if isinstance(status := answer.get(1), bytes) and status:
            refused = str(dict(_fields(status)).get(2, b"refused"))
            continue  # a shim of another generation: it knows the other service
        payload = answer.get(2, b"")
        told = dict(_fields(payload if isinstance(payload, bytes) else b""))
        return Connected(service, int(told[1]), int(told[2]), len(frame), HEADER.size + len(received))
    raise CommandFailed(_("The shim does not answer: {why}").format(why=refused))


def _field(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | LENGTH_DELIMITED]) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    written = b""
    while value >= MORE:
        written += bytes([value & (MORE - 1) | MORE])
        value >>= 7
    return written + bytes([value])


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0

    def number() -> int:
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & (MORE - 1)) << shift
            shift += 7
            if not byte & MORE:
                return value

    while at < len(message):
        key = number()
        value = number()  # a number itself, or the length of what follows: no other kind occurs in these messages
        if key & 7 == LENGTH_DELIMITED:
            yield key >> 3, message[at : at + value]
            at += value
        else:
            yield key >> 3, value
