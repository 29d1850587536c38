"""What listens in a network namespace, read from a process that lives in it.

The kernel tells nobody when a socket begins to listen (the diagnostic groups of `man 7 sock_diag` announce ends only),
so these tables have to be read again and again.
"""

import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["Listener", "listeners", "parse"]

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


def listeners(pid: int) -> set[Listener]:
    """Return the listeners in the namespace of `pid`; one for a port, preferring those that take any address.

    Raises `FileNotFoundError` or `ProcessLookupError` when the process has ended.
    """
    found: dict[tuple[str, int], Listener] = {}
    for protocol, table in TABLES:
        text = Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii")
        for listener in parse(text, protocol):
            key = (protocol, listener.port)
            if key not in found or not listener.address:
                found[key] = listener
    return set(found.values())


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


def _address(hexadecimal: str) -> str:
    """Return the address that the kernel writes as 32-bit words in the machine's own byte order."""
    words = [int(hexadecimal[i : i + 8], 16) for i in range(0, len(hexadecimal), 8)]
    packed = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    address = socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)
    if address in ANY:
        return ""
    return address.removeprefix("::ffff:")
