"""One client's connection: requests in, answers out, until one side has had enough.

Heads are parsed with h11. Bodies are read whole only where a rule looks into them; everything else is passed
on as it comes. A connection that stops being HTTP (attach, exec, BuildKit) becomes a tunnel.
"""

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

import h11

from docker_tutor.errors import GatewayError
from docker_tutor.gateway.daemon import Answer
from docker_tutor.gateway.exchange import HEAD_BYTES, Exchange, Headers, head, without
from docker_tutor.gateway.records import Call
from docker_tutor.gateway.relay import Relay
from docker_tutor.gateway.requests import JSON_BODIES, Reply, Request
from docker_tutor.gateway.upstream import Streams
from docker_tutor.gateway.wire import CHUNK_BYTES, ClientReader, Watch, abort
from docker_tutor.i18n import _

__all__ = ["Connection", "Rules"]

_BODY_BYTES = 64 * 1024 * 1024
_SURPLUS_BYTES = 256 * 1024


class Rules(Protocol):
    """What the gateway makes of the requests that pass."""

    async def before(self, request: Request) -> Reply | None:
        """Look at a request and change it in place; a Reply is given instead of asking the daemon."""

    async def ask(self, request: Request, headers: Headers) -> Answer:
        """Put a request with a parsed body to the daemon, more than once where a name is taken."""

    def keeps_body(self, request: Request) -> bool:
        """Return whether `before` needs the whole body, as a file."""

    def wants_answer(self, request: Request) -> bool:
        """Return whether `after` needs to see the answer's body."""

    async def after(self, request: Request, status: int, body: bytes) -> None:
        """Note what a request has made; called before the client sees the end of the answer."""

    def watch(self, request: Request) -> Watch | None:
        """Return what sees the bytes of a request's tunnel, if anything does."""


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
        self._surplus = b""
        self._noted = False

    async def serve(self) -> None:
        """Answer requests until the client leaves. Leaves no connection open."""
        try:
            while (exchange := await self._next()) is not None:
                self._noted = False
                try:
                    keep = await self._answer(exchange)
                finally:
                    self._note(exchange)
                if not keep:
                    break
                self._surplus = exchange.surplus
        except (ConnectionError, h11.ProtocolError):
            abort(self._writer)  # a side is gone, or does not speak HTTP: the other shall see a cut, not an end
        finally:
            if self._daemon is not None:
                self._daemon[1].close()
            self._writer.close()

    async def _next(self) -> Exchange | None:
        http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)
        if self._surplus:
            http.receive_data(self._surplus)
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(await self._reader.read(CHUNK_BYTES))
            elif isinstance(event, h11.Request):
                return Exchange.begin(self._reader, http, event)
            else:
                return None

    async def _answer(self, exchange: Exchange) -> bool:
        request = exchange.request
        if request.method == "POST" and JSON_BODIES.fullmatch(request.path):
            return await self._give(exchange, await self._whole(exchange))
        if self._rules.keeps_body(request):
            self._invite(exchange)
            with tempfile.TemporaryFile() as spool:
                await exchange.keep_body(spool)
                request.spool = spool
                return await self._pass_on(exchange)
        return await self._pass_on(exchange)

    async def _pass_on(self, exchange: Exchange) -> bool:
        request = exchange.request
        try:
            reply = await self._rules.before(request)
            if reply is not None:
                return await self._give(exchange, reply)
            daemon = await self._daemon_streams()
        except (OSError, GatewayError) as error:
            return await self._give(exchange, _unreachable(error))
        relay = Relay(
            exchange,
            self._writer,
            daemon,
            watch=self._rules.watch(request),
            tap=partial(self._tapped, exchange) if self._rules.wants_answer(request) else None,
            note=partial(self._note, exchange),
        )
        return await relay.carry()

    async def _tapped(self, exchange: Exchange, body: bytes) -> None:
        await self._rules.after(exchange.request, exchange.status, body)

    def _invite(self, exchange: Exchange) -> None:
        # Who asks before sending a long body (`Expect: 100-continue`) would otherwise wait for a daemon not yet asked.
        if exchange.http.they_are_waiting_for_100_continue:
            self._writer.write(head(100, []))

    async def _whole(self, exchange: Exchange) -> Answer | Reply:
        """Answer a request with a body that rules look into."""
        request, body = exchange.request, bytearray()
        self._invite(exchange)
        while isinstance(event := await exchange.event(), h11.Data):
            body += event.data
            if len(body) > _BODY_BYTES:
                return Reply.refuse("the request is too long", 413)
        try:
            parsed = json.loads(body) if body.strip() else {}
        except ValueError as error:
            return Reply.refuse(f"no JSON in the request: {error}", 400)
        request.body = parsed if isinstance(parsed, dict) else {}
        dropped = (b"content-length", b"transfer-encoding", b"content-type", b"expect", b"connection")
        try:
            reply = await self._rules.before(request)
            if reply is not None:
                return reply
            answer = await self._rules.ask(request, without(exchange.head.headers.raw_items(), *dropped))
            await self._rules.after(request, answer.status, answer.body)
        except (OSError, GatewayError) as error:
            return _unreachable(error)
        return answer

    async def _give(self, exchange: Exchange, answer: Answer | Reply) -> bool:
        """Give a whole answer. The connection is kept if the request has been read to its end."""
        # Only what is under way already: a client that wants to send a gigabyte is cut off instead.
        while not exchange.request_ended and exchange.sent < _SURPLUS_BYTES:
            await exchange.event()
        if isinstance(answer, Reply):
            body = answer.encoded()
            headers = [(b"Content-Type", b"application/json")] if body else []
        else:
            body = answer.body
            headers = without(answer.headers, b"content-length", b"transfer-encoding", b"connection")
        exchange.status, exchange.received = answer.status, len(body)
        if answer.status not in {204, 304}:
            headers.append((b"Content-Length", b"%d" % len(body)))
        if not exchange.request_ended:
            headers.append((b"Connection", b"close"))
        self._note(exchange)
        self._writer.write(head(answer.status, headers) + (b"" if exchange.request.method == "HEAD" else body))
        await self._writer.drain()
        return exchange.request_ended

    async def _daemon_streams(self) -> Streams:
        if self._daemon is not None:
            reader, writer = self._daemon
            if not reader.at_eof() and not writer.transport.is_closing():
                return self._daemon
            writer.close()
        self._daemon = await self._connect()
        return self._daemon

    def _note(self, exchange: Exchange) -> None:
        if not self._noted:
            self._noted = True
            self._record(exchange.call())


def _unreachable(error: Exception) -> Reply:
    said = _("the engine behind this notebook does not answer ({error}); `engine status` tells why").format(error=error)
    return Reply.refuse(said, 503)
