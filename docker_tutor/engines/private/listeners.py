"""What listens in a network namespace.

The kernel tells nobody when a socket begins to listen (the diagnostic groups of `man 7 sock_diag` announce ends only),
so it has to be asked again and again. Asking for the listeners alone takes 0.05 ms; the tables below
`/proc/PID/net`, which serve where a kernel lacks the diagnosis, list every connection and take fifty times as long.
"""

import os
import socket
import struct
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["NETLINK_SOCK_DIAG", "Listener", "ask", "listeners", "parse"]

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
DUMP = 0x301
"""NLM_F_REQUEST and NLM_F_DUMP."""
NLMSG_ERROR = 2
NLMSG_DONE = 3
HEADER = struct.Struct("=IHHII")
QUESTIONS: dict[Literal["tcp", "udp"], tuple[int, int]] = {
    "tcp": (socket.IPPROTO_TCP, 10),
    "udp": (socket.IPPROTO_UDP, 7),
}
"""The protocol's number and the state of a socket that waits for whoever comes: TCP_LISTEN, TCP_CLOSE."""
LISTEN = "0A"
UNCONNECTED = "07"
ANY = frozenset(("0.0.0.0", "::"))  # noqa: S104 - read from the table, nothing binds to it here
TABLES: tuple[tuple[Literal["tcp", "udp"], str], ...] = (
    ("tcp", "tcp"),
    ("tcp", "tcp6"),
    ("udp", "udp"),
    ("udp", "udp6"),
)


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that waits for whoever comes."""

    protocol: Literal["tcp", "udp"]
    port: int
    address: str
    """What it is bound to; the empty string when it takes any of its machine's addresses."""


def ask(diagnosis: socket.socket) -> set[Listener]:
    """Return the listeners in the namespace of a `NETLINK_SOCK_DIAG` socket, one for a port. Raises `OSError`."""
    found: list[Listener] = []
    for protocol, (number, state) in QUESTIONS.items():
        for family in (socket.AF_INET, socket.AF_INET6):
            body = struct.pack("=BBBxI48x", family, number, 0, 1 << state)
            diagnosis.send(HEADER.pack(HEADER.size + len(body), SOCK_DIAG_BY_FAMILY, DUMP, 0, 0) + body)
            found += (_listener(protocol, family, answer) for answer in _answers(diagnosis))
    return _one_for_a_port(found)


def listeners(pid: int) -> set[Listener]:
    """Return the same by reading the tables of `pid`, a process in the namespace.

    Raises `FileNotFoundError` or `ProcessLookupError` when the process has ended.
    """
    return _one_for_a_port(
        listener
        for protocol, table in TABLES
        for listener in parse(Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii"), protocol)
    )


def parse(text: str, protocol: Literal["tcp", "udp"]) -> set[Listener]:
    """Return the listeners of one table of `/proc/PID/net` (`man 5 proc`)."""
    wanted = LISTEN if protocol == "tcp" else UNCONNECTED
    found = set()
    for line in text.splitlines()[1:]:
        _slot, local, _remote, state, *_rest = line.split()
        if state == wanted:
            address, _sep, port = local.rpartition(":")
            found.add(Listener(protocol, int(port, 16), _address(address)))
    return found


def _one_for_a_port(found: Iterable[Listener]) -> set[Listener]:
    """Keep one listener for a port, preferring those that take any address."""
    kept: dict[tuple[str, int], Listener] = {}
    for listener in found:
        key = (listener.protocol, listener.port)
        if key not in kept or not listener.address:
            kept[key] = listener
    return set(kept.values())


def _answers(diagnosis: socket.socket) -> Iterator[bytes]:
    """Yield the bodies of a dump's messages (`man 7 netlink`)."""
    while True:
        received = diagnosis.recv(1 << 16)
        while received:
            length, kind, *_rest = HEADER.unpack_from(received)
            if kind == NLMSG_DONE:
                return
            if kind == NLMSG_ERROR:
                (number,) = struct.unpack_from("=i", received, HEADER.size)
                raise OSError(-number, os.strerror(-number))
            yield received[HEADER.size : length]
            received = received[(length + 3) & ~3 :]


def _listener(protocol: Literal["tcp", "udp"], family: socket.AddressFamily, answer: bytes) -> Listener:
    """Read a `struct inet_diag_msg` (linux/inet_diag.h): four bytes, the two ports, the two addresses, …."""
    (port,) = struct.unpack_from("!H", answer, 4)
    return Listener(protocol, port, _written(answer[8 : 8 + (4 if family == socket.AF_INET else 16)]))


def _address(hexadecimal: str) -> str:
    """Return the address that the kernel writes as 32-bit words in the machine's own byte order."""
    words = [int(hexadecimal[i : i + 8], 16) for i in range(0, len(hexadecimal), 8)]
    packed = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    return _written(packed)


def _written(packed: bytes) -> str:
    address = socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)
    return "" if address in ANY else address.removeprefix("::ffff:")
