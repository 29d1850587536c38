"""Carry datagrams to a listener in the guest over the line, and their answers back: the keeper's end.

slirp4netns would carry them in, but not the answers out: to the guest they come from slirp4netns' own address, to which
it carries nothing when this machine's loopback is closed to the guest. The guest's end is `peers`.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from docker_tutor.engines.private.datagrams import Way

__all__ = ["OverLine"]

Tell = Callable[[dict[str, object]], None]


class OverLine:
    """Ways by messages: each peer has a number."""

    def __init__(self, tell: Tell) -> None:
        """Say everything with `tell`, which may lose what it cannot carry in time."""
        self._tell = tell
        self._peers: dict[int, Callable[[bytes], None]] = {}
        self._last = 0

    async def way(self, to: tuple[str, int], answered: Callable[[bytes], None]) -> Way:
        """Return a new way to this address and port of the guest, whose answers are given to `answered`."""
        self._last += 1
        self._peers[self._last] = answered
        return _Way(self._tell, self._peers, self._last, to)

    def heard(self, message: Mapping[str, Any]) -> None:
        """Give an answer to whom it is for; who has been forgotten gets none."""
        if answered := self._peers.get(message.get("peer", 0)):
            answered(b64decode(message["datagram"]))


@dataclass(frozen=True, slots=True)
class _Way:
    tell: Tell
    peers: dict[int, Callable[[bytes], None]]
    number: int
    to: tuple[str, int]

    def send(self, data: bytes) -> None:
        """Carry inwards."""
        self.tell({"peer": self.number, "to": self.to, "datagram": b64encode(data).decode()})

    def close(self) -> None:
        """Carry nothing any more."""
        self.peers.pop(self.number, None)
        self.tell({"do": "forget", "peer": self.number})
