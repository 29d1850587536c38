"""A request passed on as it comes, and its answer passed back as it comes; a tunnel where HTTP ends."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import h11

from docker_tutor.gateway.exchange import HEAD_BYTES, Exchange, head, without
from docker_tutor.gateway.requests import hijacks
from docker_tutor.gateway.upstream import Streams
from docker_tutor.gateway.wire import CHUNK_BYTES, Tunnel, Watch, abort, hung_up

__all__ = ["Relay"]

_TAP_BYTES = 256 * 1024
_SWITCHING = 101


@dataclass(slots=True)
class _Framing:
    """How the client can tell where an answer's body ends."""

    chunked: bool = False
    until_close: bool = False

    def data(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else bytes(data)

    def end(self) -> bytes:
        return b"0\r\n\r\n" if self.chunked else b""


class Relay:
    """Carries one exchange over one connection to the daemon."""

    def __init__(
        self,
        exchange: Exchange,
        client: asyncio.StreamWriter,
        daemon: Streams,
        *,
        watch: Watch | None = None,
        tap: Callable[[bytes], Awaitable[None]] | None = None,
        note: Callable[[], None],
    ) -> None:
        """Prepare. Before the client sees the answer's end, `tap` gets (the end of) its body and `note` is called."""
        self._exchange, self._client = exchange, client
        self._reader, self._writer = daemon
        self._watch, self._tap, self._note = watch, tap, note
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES)

    async def carry(self) -> bool:
        """Carry the exchange to its end; return whether both connections can be used again.

        Raises ConnectionError or h11.RemoteProtocolError when a side leaves before the end.
        """
        exchange, request = self._exchange, self._exchange.request
        headers = exchange.head.headers.raw_items()
        if not any(name == b"host" for name, _value in exchange.head.headers):
            headers = [*headers, (b"Host", b"docker")]  # HTTP/1.0 does without, HTTP/1.1 does not
        self._send(h11.Request(method=request.method, target=request.target(), headers=headers))
        pump: asyncio.Task[None] | None = None
        if exchange.body_left:
            pump = asyncio.create_task(self._pump())
        else:
            self._send(h11.EndOfMessage())
        exchange.reader.on_end = self._client_ended
        if exchange.reader.at_eof() or exchange.reader.exception() is not None:
            self._client_ended()
        try:
            return await self._answer()
        finally:
            exchange.reader.on_end = None
            if pump is not None:
                pump.cancel()
                await asyncio.gather(pump, return_exceptions=True)

    def _send(self, event: h11.Request | h11.Data | h11.EndOfMessage) -> None:
        self._writer.write(self._http.send(event) or b"")

    def _client_ended(self) -> None:
        # Gone: so is its question. Only done with sending: the daemon sees that and decides, as without us.
        if hung_up(self._client):
            abort(self._writer)
        elif not self._writer.transport.is_closing() and self._writer.can_write_eof():
            with contextlib.suppress(OSError):
                self._writer.write_eof()

    async def _pump(self) -> None:
        """Pass the request's body on while the answer may already come: `docker load` does both at once."""
        try:
            while isinstance(event := await self._exchange.event(), h11.Data):
                self._send(event)
                await self._writer.drain()
            self._send(event)
        except h11.RemoteProtocolError:
            abort(self._writer)  # the client left in the middle of its request
        except (ConnectionError, h11.LocalProtocolError):
            return  # the daemon has answered before it had read everything: the answer still counts

    async def _answer(self) -> bool:
        exchange, framing = self._exchange, _Framing()
        tap = bytearray()
        out = bytearray()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                if out:
                    self._client.write(bytes(out))
                    out.clear()
                    await self._client.drain()
                self._http.receive_data(await self._reader.read(CHUNK_BYTES))
            elif isinstance(event, h11.InformationalResponse | h11.Response):
                out += self._begin(event, framing)
                if event.status_code == _SWITCHING or (framing.until_close and hijacks(exchange.request)):
                    return await self._tunnel(bytes(out))
            elif isinstance(event, h11.Data):
                exchange.received += len(event.data)
                out += framing.data(event.data)
                if self._tap is not None:
                    tap = (tap + event.data)[-_TAP_BYTES:]
            elif isinstance(event, h11.EndOfMessage):
                if self._tap is not None:
                    await self._tap(bytes(tap))
                return await self._end(bytes(out) + framing.end(), keep=not framing.until_close)
            else:
                raise ConnectionResetError("the daemon ended the connection")

    def _begin(self, event: h11.InformationalResponse | h11.Response, framing: _Framing) -> bytes:
        exchange, headers = self._exchange, event.headers.raw_items()
        if isinstance(event, h11.Response) or event.status_code == _SWITCHING:
            exchange.status = event.status_code
        if (
            isinstance(event, h11.Response)
            and exchange.request.method != "HEAD"
            and event.status_code not in {204, 304}
        ):
            names = dict(event.headers)
            framing.chunked = names.get(b"transfer-encoding", b"").lower() == b"chunked"
            framing.until_close = not framing.chunked and b"content-length" not in names
            if framing.chunked and exchange.head.http_version < b"1.1":
                headers = without(headers, b"transfer-encoding")
                framing.chunked, framing.until_close = False, True
        return head(event.status_code, headers, event.reason)

    async def _end(self, out: bytes, *, keep: bool) -> bool:
        self._exchange.reader.on_end = None
        self._note()
        self._client.write(out)
        await self._client.drain()
        done = self._http.their_state is h11.DONE and self._http.our_state is h11.DONE
        return keep and done and self._exchange.request_ended

    async def _tunnel(self, out: bytes) -> bool:
        exchange = self._exchange
        exchange.reader.on_end = None
        exchange.upgraded = True
        self._client.write(out)

        def count(tunnel: Tunnel) -> None:
            exchange.sent, exchange.received = tunnel.up_bytes, tunnel.down_bytes
            self._note()

        client, daemon = (exchange.reader, self._client), (self._reader, self._writer)
        tunnel = Tunnel(client, daemon, watch=self._watch, before_end=count)
        try:
            await tunnel.run(exchange.surplus, self._http.trailing_data[0])
        finally:
            count(tunnel)
            if self._watch is not None:
                await self._watch.ended()
        return False
