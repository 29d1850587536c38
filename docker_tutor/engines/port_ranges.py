"""The ports that an engine gives out by itself, apart from those of every other engine on this machine.

For `-p 80` dockerd takes the next free port of its own network namespace, and every namespace begins with the same
one (`ip_local_port_range` in `man 7 ip`). Two engines would both want it at 127.0.0.1, and a call meant for one would
be answered by the other. So each engine takes a range that it holds by its first port, which it binds.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["FIRST", "Ports", "claim", "setting"]

SETTING = Path("/proc/sys/net/ipv4/ip_local_port_range")
LENGTH = 1000
FIRST, END = 20_000, 60_000
Ports = range
"""The numbers that the engine may give out."""


@contextmanager
def claim() -> Iterator[tuple[Ports | None, socket.socket | None]]:
    """Find a range that no engine holds; it is held by whoever inherits the socket, for as long as it lives.

    None and None when all are held: then the kernel's own range has to do.
    """
    for first in range(FIRST, END, LENGTH):
        with socket.socket() as held:
            try:
                held.bind(("127.0.0.1", first))
            except OSError:
                continue  # another engine's, or some program has just that port
            yield range(first + 1, first + LENGTH), held
            return
    yield None, None


def setting(ports: Ports | None) -> str:
    """Return the shell command that sets the range in the network namespace that it runs in; empty for None."""
    return f"echo {ports[0]} {ports[-1]} >{SETTING}" if ports else ":"
