"""Sockets in the guest for those who send datagrams from outside: the other end of `datagrams`.

Run inside the guest, with the standard library alone.
"""

import contextlib
import socket
from base64 import b64decode, b64encode
from collections.abc import Callable, Container
from typing import Any

__all__ = ["Peers"]

MOST = 512
"""More than these cannot be waited for (`man 2 select`); the oldest is forgotten."""
LONGEST_BYTES = 1 << 16


class Peers:
    """Has a socket for each peer, connected to what it speaks to."""

    def __init__(self, say: Callable[[dict[str, Any]], None]) -> None:
        """Say with `say` what is answered."""
        self._say = say
        self._sockets: dict[int, socket.socket] = {}

    @property
    def descriptors(self) -> list[int]:
        """What is to be waited for."""
        return [each.fileno() for each in self._sockets.values()]

    def carry(self, message: dict[str, Any]) -> None:
        """Send a peer's datagram; where nobody takes it, it is lost, as datagrams are."""
        with contextlib.suppress(OSError):
            made = self._sockets.get(message["peer"]) or self._open(message["peer"], *message["to"])
            made.send(b64decode(message["datagram"]))

    def answer(self, ready: Container[int]) -> None:
        """Carry back what has arrived at those of `descriptors` that are `ready`."""
        for number, each in self._sockets.items():
            if each.fileno() in ready:
                with contextlib.suppress(OSError):  # nobody listened there when it was sent
                    self._say({"peer": number, "datagram": b64encode(each.recv(LONGEST_BYTES)).decode()})

    def forget(self, number: int) -> None:
        """Close a peer's socket, if there is one."""
        if number in self._sockets:
            self._sockets.pop(number).close()

    def forget_all(self) -> None:
        """Close all: those outside are no longer there."""
        for number in list(self._sockets):
            self.forget(number)

    def _open(self, number: int, address: str, port: int) -> socket.socket:
        if len(self._sockets) >= MOST:
            self.forget(next(iter(self._sockets)))
        made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        made.setblocking(False)  # noqa: FBT003 - the standard library's own signature
        made.connect((address, port))
        self._sockets[number] = made
        return made
