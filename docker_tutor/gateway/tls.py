"""TLS whose two directions close one after the other: `docker run -i` says "no more input" and goes on listening.

asyncio's own TLS transport has no such end of one direction. So each connection is a socket pair: one end behaves as
a Unix socket does, and what passes through the other is encrypted here.
"""

import asyncio
import contextlib
import socket
import ssl

__all__ = ["CHUNK_BYTES", "carried"]

CHUNK_BYTES = 1 << 16
_carrying: set["asyncio.Task[None]"] = set()


async def carried(host: str, port: int, context: ssl.SSLContext) -> socket.socket:
    """Connect, shake hands, and return a socket that speaks plainly. Raises `OSError`."""
    wire = _Wire(*await asyncio.open_connection(host, port), context, host)
    try:
        await wire.shake_hands()
    except BaseException:
        wire.writer.transport.abort()
        raise
    ours, theirs = socket.socketpair()
    task = asyncio.create_task(wire.carry(theirs))
    _carrying.add(task)
    task.add_done_callback(_carrying.discard)
    return ours


class _Wire:
    """One encrypted connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext, host: str
    ) -> None:
        self.reader, self.writer = reader, writer
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=host)

    async def shake_hands(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
            else:
                await self._flush()
                return

    async def carry(self, plain: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=plain)
        up = asyncio.create_task(self._up(reader))
        try:
            await self._down(writer)
        except OSError:
            writer.transport.abort()  # what comes may be cut short: let nobody take it for whole
        finally:
            up.cancel()
            await asyncio.gather(up, return_exceptions=True)
            for each in (self.writer, writer):
                each.close()

    async def _up(self, plain: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await plain.read(CHUNK_BYTES):
                self._tls.write(data)
                await self._flush()
            with contextlib.suppress(ssl.SSLWantReadError):  # said, and the other side has not yet said the same
                self._tls.unwrap()
            await self._flush()

    async def _down(self, plain: asyncio.StreamWriter) -> None:
        while True:
            # All of it at once: to say "no more input" with something unread would lose that.
            data, ended = self._decrypted()
            await self._flush()
            plain.write(data)
            await plain.drain()
            if ended:
                plain.write_eof()
                await plain.drain()
                return
            await self._fill()

    def _decrypted(self) -> tuple[bytes, bool]:
        found = bytearray()
        while True:
            try:
                data = self._tls.read(CHUNK_BYTES)
            except ssl.SSLWantReadError:
                return bytes(found), False
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return bytes(found), True
            if not data:
                return bytes(found), True
            found += data

    async def _fill(self) -> None:
        data = await self.reader.read(CHUNK_BYTES)
        if data:
            self._in.write(data)
        else:
            self._in.write_eof()

    async def _flush(self) -> None:
        if data := self._out.read():
            self.writer.write(data)
            await self.writer.drain()
