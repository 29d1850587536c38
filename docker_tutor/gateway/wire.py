"""Bytes in both directions: streams that say when the other side went away, and raw tunnels."""

import asyncio
import contextlib
import select
from collections.abc import AsyncIterator, Callable
from typing import Protocol

__all__ = ["CHUNK_BYTES", "ClientReader", "Tunnel", "Watch", "abort", "close", "hung_up"]

CHUNK_BYTES = 128 * 1024
_QUIET_S = 0.2
_LAST_INPUT_S = 5.0


class Watch(Protocol):
    """Sees what passes a tunnel before it is sent on."""

    inject: Callable[[bytes], None] | None
    """Set by the tunnel: sends bytes to the client."""

    async def up(self, data: bytes) -> bytes:
        """See bytes on their way to the daemon; return what is to be sent."""

    async def down(self, data: bytes) -> bytes:
        """See bytes on their way to the client; return what is to be sent."""

    async def ended(self) -> None:
        """Take note that the tunnel is closed."""


class ClientReader(asyncio.StreamReader):
    """A stream that calls `on_end` as soon as its other side has closed, even while nobody reads."""

    on_end: Callable[[], None] | None = None

    def feed_eof(self) -> None:
        """Take note that the other side has closed."""
        super().feed_eof()
        if self.on_end is not None:
            self.on_end()

    def set_exception(self, exc: BaseException) -> None:
        """Take note that the connection broke."""
        super().set_exception(exc)  # type: ignore[arg-type]
        if self.on_end is not None:
            self.on_end()


def hung_up(writer: asyncio.StreamWriter) -> bool:
    """Return whether the other side of a Unix socket is gone, rather than done with sending (`man 2 poll`).

    When this side has shut down its own sending, both look the same.
    """
    sock = writer.get_extra_info("socket")
    if writer.transport.is_closing() or sock is None or sock.fileno() < 0:
        return writer.transport.is_closing()
    poll = select.poll()
    poll.register(sock.fileno(), 0)  # POLLHUP and POLLERR are reported without being asked for
    return any(flags & (select.POLLHUP | select.POLLERR) for _, flags in poll.poll(0))


def abort(writer: asyncio.StreamWriter) -> None:
    """Close at once, without sending what is still waiting."""
    transport = writer.transport
    if hasattr(transport, "abort"):
        transport.abort()
    else:
        writer.close()


async def close(writer: asyncio.StreamWriter) -> None:
    """Send what is waiting and close. A side that is already gone is closed too."""
    writer.close()
    with contextlib.suppress(ConnectionError, OSError):
        await writer.wait_closed()


class Tunnel:
    """A connection that is no longer HTTP: bytes both ways, each direction closed on its own.

    Ends when both directions have ended, or at once when one side is gone altogether.
    """

    def __init__(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        daemon: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        *,
        watch: Watch | None = None,
        before_end: Callable[["Tunnel"], None] | None = None,
    ) -> None:
        self._client, self._daemon = client, daemon
        self._watch = watch
        if watch is not None:
            watch.inject = client[1].write
        self._before_end = before_end
        self.up_bytes = 0
        self.down_bytes = 0

    async def run(self, early_up: bytes = b"", early_down: bytes = b"") -> None:
        """Carry until the end; `early_*` is what had been read already."""
        up = asyncio.create_task(self._up(early_up))
        down = asyncio.create_task(self._down(early_down))
        try:
            done, _pending = await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            # Someone who is done with sending still listens; someone who is gone does not. Once we have said ourselves
            # that nothing more comes, the two look the same: so each side is asked before that only.
            gone = (up in done and down not in done and hung_up(self._client[1])) or (
                down in done and hung_up(self._daemon[1])
            )
            if not gone and (down not in done or down.exception() is None):
                await self._second(up, down)
        finally:
            heard_out = down.done() and not down.cancelled() and down.exception() is None
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
            if heard_out:
                await self._let_client_read()

    async def _second(self, up: "asyncio.Task[None]", down: "asyncio.Task[None]") -> None:
        remaining = down if up.done() else up
        if remaining is down:
            HANGUPS.watch(self._client[1], down.cancel)
        try:
            await asyncio.wait({remaining})
        finally:
            if remaining is down:
                HANGUPS.forget(self._client[1])

    async def _let_client_read(self) -> None:
        # Closing while input is still unread would reset the connection before the client has read to its end:
        # what it sends now is for nobody, and is taken in until it stops.
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(_LAST_INPUT_S):
                while await asyncio.wait_for(self._client[0].read(CHUNK_BYTES), _QUIET_S):
                    continue

    async def _up(self, early: bytes) -> None:
        async for data in _chunks(self._client[0], early):
            self.up_bytes += len(data)
            await _send(self._daemon[1], data if self._watch is None else await self._watch.up(data))
        _end(self._daemon[1])

    async def _down(self, early: bytes) -> None:
        async for data in _chunks(self._daemon[0], early):
            self.down_bytes += len(data)
            await _send(self._client[1], data if self._watch is None else await self._watch.down(data))
        if self._before_end is not None:
            self._before_end(self)
        _end(self._client[1])


async def _chunks(reader: asyncio.StreamReader, early: bytes) -> AsyncIterator[bytes]:
    if early:
        yield early
    while data := await reader.read(CHUNK_BYTES):
        yield data


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


def _end(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        if writer.can_write_eof() and not writer.transport.is_closing():
            writer.write_eof()


class _Hangups:
    """Tells when a side that had already finished sending goes away: asyncio does not look at it any more.

    An epoll set asked for no event still reports hang-ups, and is itself a file the loop can watch. Where
    there is no epoll, such a connection ends with the next byte that cannot be sent.
    """

    def __init__(self) -> None:
        self._epoll: select.epoll | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[int, Callable[[], object]] = {}

    def watch(self, writer: asyncio.StreamWriter, then: Callable[[], object]) -> None:
        sock = writer.get_extra_info("socket")
        if sock is None or sock.fileno() < 0 or not hasattr(select, "epoll"):
            return
        loop = asyncio.get_running_loop()
        if self._epoll is None or self._loop is not loop:
            self._epoll, self._loop = select.epoll(), loop
            loop.add_reader(self._epoll.fileno(), self._ready)
        self._waiting[sock.fileno()] = then
        self._epoll.register(sock.fileno(), 0)

    def forget(self, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        if sock is not None and self._epoll is not None and self._waiting.pop(sock.fileno(), None) is not None:
            self._epoll.unregister(sock.fileno())

    def _ready(self) -> None:
        if self._epoll is not None:
            for number, _flags in self._epoll.poll(0):
                then = self._waiting.pop(number, None)
                self._epoll.unregister(number)
                if then is not None:
                    then()


HANGUPS = _Hangups()
