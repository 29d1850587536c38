"""Carry datagrams to a listener inside the engine's namespace, or its machine.

slirp4netns cannot: kept from the machine's loopback, as it must be, it drops the answers to a client there.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Protocol, cast

from docker_tutor.engines.private.relay import Inside

__all__ = ["DatagramRelay", "Sockets", "Way", "Ways"]

IDLE_S = 60
"""A peer that has been silent for so long is forgotten, as a router does (nf_conntrack's time for a lone datagram)."""
PEERS = 256
"""More peers at once than this are a flood: the one that has been silent longest is forgotten."""


class Way(Protocol):
    """Leads one peer's datagrams inwards."""

    def send(self, data: bytes) -> None:
        """Carry one datagram inwards; like any datagram, it may be lost."""

    def close(self) -> None:
        """Carry nothing any more."""


class Ways(Protocol):
    """Where ways come from."""

    async def way(self, to: tuple[str, int], answered: Callable[[bytes], None]) -> Way:
        """Return a new way to this address and port, whose answers are given to `answered`. Raises `OSError`."""


class DatagramRelay(asyncio.DatagramProtocol):
    """Takes datagrams at 127.0.0.1 of this machine and carries them, and their answers, to and from one address."""

    def __init__(self, ways: Ways, address: str, port: int) -> None:
        """Carry to `address`:`port`."""
        self._ways = ways
        self._to = (address, port)
        self._front: asyncio.DatagramTransport | None = None
        self._peers: dict[Any, _Peer] = {}
        self._arriving: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen. Raises `OSError` when the port is taken."""
        loop = asyncio.get_running_loop()
        self._front, _protocol = await loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", self._to[1]))

    def close(self) -> None:
        """Listen no more and forget all peers."""
        if self._front:
            self._front.close()
        for peer in list(self._peers.values()):
            peer.forget()

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Carry one datagram inwards."""
        peer = self._peers.get(addr)
        if peer:
            peer.send(data)
        elif self._front:
            task = asyncio.get_running_loop().create_task(self._arrive(data, addr, self._front))
            self._arriving.add(task)
            task.add_done_callback(self._arriving.discard)

    async def _arrive(self, data: bytes, addr: tuple[str | Any, int], front: asyncio.DatagramTransport) -> None:
        peer = _Peer(front, addr, self._peers)
        way = await self._ways.way(self._to, peer.answered)
        if addr not in self._peers:
            if len(self._peers) >= PEERS:
                next(iter(self._peers.values())).forget()
            peer.way = way
            self._peers[addr] = peer
        else:
            way.close()  # two datagrams of a new peer came at once
        self._peers[addr].send(data)


class _Peer:
    """One client outside, and its way inside."""

    def __init__(
        self, front: asyncio.DatagramTransport, addr: tuple[str | Any, int], peers: dict[Any, "_Peer"]
    ) -> None:
        self._front = front
        self._addr = addr
        self._peers = peers
        self._idle: asyncio.TimerHandle | None = None
        self.way: Way | None = None

    def send(self, data: bytes) -> None:
        """Carry inwards."""
        if self.way:
            self.way.send(data)
        self._still_there()

    def answered(self, data: bytes) -> None:
        """Carry outwards."""
        self._front.sendto(data, self._addr)
        self._still_there()

    def _still_there(self) -> None:
        if self._idle:
            self._idle.cancel()
        self._peers[self._addr] = self._peers.pop(self._addr, self)  # the last one is the liveliest
        self._idle = asyncio.get_running_loop().call_later(IDLE_S, self.forget)

    def forget(self) -> None:
        """Close the way inside."""
        if self._idle:
            self._idle.cancel()
        self._peers.pop(self._addr, None)
        if self.way:
            self.way.close()


class Sockets:
    """Ways by sockets of a namespace."""

    def __init__(self, inside: Inside) -> None:
        """Make the sockets in `inside`."""
        self._inside = inside

    async def way(self, to: tuple[str, int], answered: Callable[[bytes], None]) -> Way:
        """Return a new way to this address and port, whose answers are given to `answered`. Raises `OSError`."""
        made = await self._inside.connected(to, socket.SOCK_DGRAM)
        endpoint = _Socket(answered)
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: endpoint, sock=made)
        return endpoint


class _Socket(asyncio.DatagramProtocol):
    """A socket inside."""

    def __init__(self, answered: Callable[[bytes], None]) -> None:
        self._answered = answered
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way inwards."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Carry outwards."""
        del addr
        self._answered(data)

    def send(self, data: bytes) -> None:
        """Carry inwards."""
        if self._transport:
            self._transport.sendto(data)

    def close(self) -> None:
        """Carry nothing any more."""
        if self._transport:
            self._transport.close()
