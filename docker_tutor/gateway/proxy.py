"""One client's connection: requests in, answers out, until one side has had enough.

Heads are parsed with h11. Bodies are read whole only where a rule looks into them; everything else is passed
on as it comes. A connection that stops being HTTP (attach, exec, BuildKit) becomes a tunnel.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

import h11

from docker_tutor.gateway.daemon import Answer
from docker_tutor.gateway.records import Call
from docker_tutor.gateway.requests import JSON_BODIES, Reply, Request, hijacks
from docker_tutor.gateway.upstream import Streams
from docker_tutor.gateway.wire import CHUNK_BYTES, ClientReader, Tunnel, Watch, abort, hung_up

__all__ = ["Connection", "Rules"]

_HEAD_BYTES = 256 * 1024
_BODY_BYTES = 64 * 1024 * 1024
_TAP_BYTES = 256 * 1024


class Rules(Protocol):
    """What the gateway makes of the requests that pass."""

    async def before(self, request: Request) -> Reply | None:
        """Look at a request and change it in place; a Reply is given instead of asking the daemon."""

    async def ask(self, request: Request, headers: list[tuple[bytes, bytes]]) -> Answer:
        """Put a request with a parsed body to the daemon, more than once where a name is taken."""

    def wants_answer(self, request: Request) -> bool:
        """Whether `after` needs to see the answer's body."""

    async def after(self, request: Request, status: int, body: bytes) -> None:
        """Note what a request has made; called before the client sees the end of the answer."""

    def watch(self, request: Request) -> Watch | None:
        """Return what sees the bytes of a request's tunnel, if anything does."""


@dataclass(slots=True)
class _Exchange:
    """One request and its answer, as far as they have come."""

    http: h11.Connection
    head: h11.Request
    request: Request
    original: str
    started_s: float = field(default_factory=time.time)
    clock: float = field(default_factory=time.perf_counter)
    status: int = 0
    sent: int = 0
    received: int = 0
    upgraded: bool = False
    recorded: bool = False


class Connection:
    """Serves one client until it leaves."""

    def __init__(
        self,
        client: tuple[ClientReader, asyncio.StreamWriter],
        connect: Callable[[], Awaitable[Streams]],
        rules: Rules,
        record: Callable[[Call], None],
    ) -> None:
        self._reader, self._writer = client
        self._connect, self._rules, self._record = connect, rules, record
        self._daemon: Streams | None = None
        self._early = b""

    async def serve(self) -> None:
        """Answer requests until the client leaves. Leaves no connection open."""
        try:
            while (exchange := await self._next()) is not None:
                try:
                    keep = await self._answer(exchange)
                finally:
                    self._reader.on_end = None
                    self._note(exchange)
                if not keep:
                    break
        except (ConnectionError, h11.RemoteProtocolError):
            abort(self._writer)  # a side is gone, or does not speak HTTP: the other shall see a cut, not an end
        finally:
            if self._daemon is not None:
                self._daemon[1].close()
            self._writer.close()

    async def _next(self) -> _Exchange | None:
        http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_BYTES)
        if self._early:
            http.receive_data(self._early)
            self._early = b""
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(await self._reader.read(CHUNK_BYTES))
            elif isinstance(event, h11.Request):
                target = event.target.decode("latin-1")
                request = Request.parse(event.method.decode("latin-1"), target)
                for name, value in event.headers:
                    if name == b"user-agent":
                        request.agent = value.decode("latin-1")
                return _Exchange(http, event, request, target)
            else:
                return None

    async def _answer(self, exchange: _Exchange) -> bool:
        request = exchange.request
        if request.method == "POST" and JSON_BODIES.fullmatch(request.path):
            return await self._answer_whole(exchange)
        reply = await self._rules.before(request)
        if reply is not None:
            return await self._give(exchange, reply.status, reply.encoded())
        return await self._answer_streaming(exchange)

    # Requests with a body that rules look into

    async def _answer_whole(self, exchange: _Exchange) -> bool:
        request = exchange.request
        body = bytearray()
        while not isinstance(event := await self._client_event(exchange.http), h11.EndOfMessage):
            body += event.data
            if len(body) > _BODY_BYTES:
                await self._give(exchange, 413, Reply.refuse("the request is too long", 413).encoded())
                return False
        exchange.sent = len(body)
        try:
            parsed = json.loads(body) if body.strip() else {}
        except ValueError as error:
            return await self._give(exchange, 400, Reply.refuse(f"no JSON in the request: {error}", 400).encoded())
        request.body = parsed if isinstance(parsed, dict) else {}
        reply = await self._rules.before(request)
        if reply is not None:
            return await self._give(exchange, reply.status, reply.encoded())
        dropped = {b"content-length", b"transfer-encoding", b"content-type", b"expect", b"connection"}
        headers = [pair for pair in exchange.head.headers.raw_items() if pair[0].lower() not in dropped]
        answer = await self._rules.ask(request, headers)
        await self._rules.after(request, answer.status, answer.body)
        kept = [p for p in answer.headers if p[0].lower() not in {b"content-length", b"transfer-encoding", b"connection"}]
        return await self._give(exchange, answer.status, answer.body, kept)

    async def _give(
        self,
        exchange: _Exchange,
        status: int,
        body: bytes,
        headers: list[tuple[bytes, bytes]] | None = None,
    ) -> bool:
        """Give a whole answer. The connection is kept if the request has been read to its end."""
        keep = exchange.http.their_state in {h11.DONE, h11.MIGHT_SWITCH_PROTOCOL}
        if not keep and exchange.http.their_state is h11.SEND_BODY:
            keep = isinstance(await self._drain_request(exchange), h11.EndOfMessage)
        exchange.status, exchange.received = status, len(body)
        if headers is None:
            headers = [(b"Content-Type", b"application/json")] if body else []
        if status not in {204, 304}:
            headers = [*headers, (b"Content-Length", str(len(body)).encode())]
        if not keep:
            headers = [*headers, (b"Connection", b"close")]
        self._early = exchange.http.trailing_data[0]
        self._note(exchange)
        self._writer.write(_head(status, headers) + body)
        await self._writer.drain()
        return keep

    async def _drain_request(self, exchange: _Exchange) -> h11.Event:
        # Only what is under way already: a client that wants to send a gigabyte is cut off instead.
        event = await self._client_event(exchange.http)
        while isinstance(event, h11.Data) and exchange.sent < _TAP_BYTES:
            exchange.sent += len(event.data)
            event = await self._client_event(exchange.http)
        return event

    async def _client_event(self, http: h11.Connection) -> h11.Data | h11.EndOfMessage:
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(await self._reader.read(CHUNK_BYTES))
            elif isinstance(event, h11.Data | h11.EndOfMessage):
                return event
            else:
                raise ConnectionResetError("the client left in the middle of a request")

    # Everything else, as it comes

    async def _answer_streaming(self, exchange: _Exchange) -> bool:
        reader, writer = await self._daemon_streams()
        http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_BYTES)
        request = exchange.request
        out = http.send(h11.Request(method=request.method, target=request.target(), headers=exchange.head.headers)) or b""
        pump: asyncio.Task[None] | None = None
        if isinstance(event := exchange.http.next_event(), h11.EndOfMessage):
            writer.write(out + (http.send(event) or b""))
        else:
            writer.write(out)
            pump = asyncio.create_task(self._pump(exchange, http, event, writer))
        self._reader.on_end = lambda: self._client_ended(writer)
        if self._reader.at_eof() or self._reader.exception() is not None:
            self._client_ended(writer)
        try:
            return await self._relay(exchange, http, reader, writer)
        finally:
            if pump is not None:
                pump.cancel()
                await asyncio.gather(pump, return_exceptions=True)

    def _client_ended(self, writer: asyncio.StreamWriter) -> None:
        # Gone: so is its question. Only done with sending: the daemon sees that and decides, as without us.
        if hung_up(self._writer):
            abort(writer)
        elif not writer.transport.is_closing() and writer.can_write_eof():
            with contextlib.suppress(OSError):
                writer.write_eof()

    async def _daemon_streams(self) -> Streams:
        if self._daemon is not None:
            reader, writer = self._daemon
            if not reader.at_eof() and not writer.transport.is_closing():
                return self._daemon
            writer.close()
        self._daemon = await self._connect()
        return self._daemon

    async def _pump(self, exchange: _Exchange, http: h11.Connection, event: object, writer: asyncio.StreamWriter) -> None:
        """Pass the request's body on while the answer may already come: `docker load` does both at once."""
        try:
            while True:
                if event is h11.NEED_DATA:
                    exchange.http.receive_data(await self._reader.read(CHUNK_BYTES))
                elif isinstance(event, h11.Data):
                    exchange.sent += len(event.data)
                    writer.write(http.send(event) or b"")
                    await writer.drain()
                elif isinstance(event, h11.EndOfMessage):
                    writer.write(http.send(event) or b"")
                    return
                else:
                    raise ConnectionResetError("the client left in the middle of a request")
                event = exchange.http.next_event()
        except h11.RemoteProtocolError:
            abort(writer)  # the client left in the middle of its request
        except (ConnectionError, h11.LocalProtocolError):
            return  # the daemon has answered before it had read everything: the answer still counts

    async def _relay(
        self, exchange: _Exchange, http: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        tap = bytearray() if self._rules.wants_answer(exchange.request) else None
        out = bytearray()
        chunked = until_close = False
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                if out:
                    self._writer.write(bytes(out))
                    out.clear()
                    await self._writer.drain()
                http.receive_data(await reader.read(CHUNK_BYTES))
            elif isinstance(event, h11.InformationalResponse):
                out += _head(event.status_code, event.headers.raw_items(), event.reason)
                if event.status_code == 101:
                    return await self._tunnel(exchange, http, (reader, writer), bytes(out), 101)
            elif isinstance(event, h11.Response):
                exchange.status = event.status_code
                framing = {name: value.lower() for name, value in event.headers}
                body = exchange.request.method != "HEAD" and event.status_code not in {204, 304}
                chunked = body and framing.get(b"transfer-encoding") == b"chunked"
                until_close = body and not chunked and b"content-length" not in framing
                headers = event.headers.raw_items()
                if chunked and exchange.head.http_version < b"1.1":
                    headers = [pair for pair in headers if pair[0].lower() != b"transfer-encoding"]
                    chunked, until_close = False, True
                out += _head(event.status_code, headers, event.reason)
                if until_close and hijacks(exchange.request):
                    return await self._tunnel(exchange, http, (reader, writer), bytes(out), event.status_code)
            elif isinstance(event, h11.Data):
                exchange.received += len(event.data)
                if tap is not None:
                    tap = (tap + event.data)[-_TAP_BYTES:]
                out += b"%x\r\n%b\r\n" % (len(event.data), event.data) if chunked else event.data
            elif isinstance(event, h11.EndOfMessage):
                out += b"0\r\n\r\n" if chunked else b""
                if tap is not None:
                    await self._rules.after(exchange.request, exchange.status, bytes(tap))
                return await self._finish(exchange, http, bytes(out), keep=not until_close)
            else:
                raise ConnectionResetError("the daemon ended the connection")

    async def _finish(self, exchange: _Exchange, http: h11.Connection, out: bytes, *, keep: bool) -> bool:
        self._reader.on_end = None
        self._note(exchange)  # before the client can see the end: whoever has seen it finds the record
        self._writer.write(out)
        await self._writer.drain()
        self._early = exchange.http.trailing_data[0]
        ended = exchange.http.their_state in {h11.DONE, h11.MIGHT_SWITCH_PROTOCOL}
        return keep and ended and http.their_state is h11.DONE and http.our_state is h11.DONE

    async def _tunnel(
        self, exchange: _Exchange, http: h11.Connection, daemon: Streams, out: bytes, status: int
    ) -> bool:
        self._reader.on_end = None
        exchange.status, exchange.upgraded = status, True
        self._writer.write(out)

        def count(tunnel: Tunnel) -> None:
            exchange.sent, exchange.received = tunnel.up_bytes, tunnel.down_bytes
            self._note(exchange)

        client = (self._reader, self._writer)
        tunnel = Tunnel(client, daemon, watch=self._rules.watch(exchange.request), before_end=count)
        try:
            await tunnel.run(exchange.http.trailing_data[0], http.trailing_data[0])
        finally:
            count(tunnel)
        return False

    def _note(self, exchange: _Exchange) -> None:
        if exchange.recorded:
            return
        exchange.recorded = True
        request = exchange.request
        self._record(
            Call(
                method=request.method,
                path=exchange.original,
                status=exchange.status,
                started_s=exchange.started_s,
                duration_s=time.perf_counter() - exchange.clock,
                request_bytes=exchange.sent,
                response_bytes=exchange.received,
                upgraded=exchange.upgraded,
                agent=request.agent,
            )
        )


def _head(status: int, headers: object, reason: bytes = b"") -> bytes:
    from http import HTTPStatus
    lines = [b"HTTP/1.1 %d %b" % (status, reason or HTTPStatus(status).phrase.encode())]
    lines += [b"%b: %b" % pair for pair in headers]  # type: ignore[attr-defined]
    return b"\r\n".join([*lines, b"", b""])
