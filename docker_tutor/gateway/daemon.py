"""The gateway's own questions to the daemon: small calls with small answers, on connections that are kept."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import h11

from docker_tutor.errors import GatewayError
from docker_tutor.gateway.upstream import Connector, Streams
from docker_tutor.gateway.wire import abort

__all__ = ["Answer", "Daemon"]

_IDLE_CONNECTIONS = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """What the daemon answered."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the status says success (304, "was so already", included)."""
        return self.status < 400

    def json(self) -> Any:
        """Return the body, parsed; None when it is empty or no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def message(self) -> str:
        """The daemon's own sentence about an error."""
        body = self.json()
        return str(body.get("message", "")) if isinstance(body, dict) else self.body.decode(errors="replace").strip()


class Daemon:
    """A client with connections that are used again."""

    def __init__(self, connector: Connector) -> None:
        self.connector = connector
        self._idle: list[Streams] = []

    async def call(
        self,
        method: str,
        path: str,
        query: dict[str, Any] | None = None,
        body: Any = None,
        headers: list[tuple[bytes, bytes]] | None = None,
    ) -> Answer:
        """Make one call. Values of `query` that are dicts are sent as JSON. Raises OSError, GatewayError."""
        if query:
            flat = {key: json.dumps(value) if isinstance(value, dict) else value for key, value in query.items()}
            path = f"{path}?{urlencode(flat, doseq=True)}"
        data = b"" if body is None else json.dumps(body).encode()
        sent = list(headers) if headers is not None else [(b"Host", b"docker")]
        if data:
            sent += [(b"Content-Type", b"application/json")]
        if data or method in {"POST", "PUT"}:
            sent += [(b"Content-Length", str(len(data)).encode())]
        streams = await self._take()
        try:
            answer, keep = await _exchange(streams, h11.Request(method=method, target=path, headers=sent), data)
        except BaseException:
            abort(streams[1])
            raise
        if keep and len(self._idle) < _IDLE_CONNECTIONS:
            self._idle.append(streams)
        else:
            streams[1].close()
        return answer

    async def close(self) -> None:
        """Close the connections that are kept."""
        while self._idle:
            self._idle.pop()[1].close()

    async def _take(self) -> Streams:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.transport.is_closing():
                return reader, writer
            writer.close()
        return await self.connector.open()


async def _exchange(streams: Streams, request: h11.Request, data: bytes) -> tuple[Answer, bool]:
    reader, writer = streams
    http = h11.Connection(h11.CLIENT)
    out = [http.send(request), http.send(h11.Data(data=data)) if data else b"", http.send(h11.EndOfMessage())]
    writer.write(b"".join(part for part in out if part))
    head: h11.Response | None = None
    body = bytearray()
    while True:
        try:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(await reader.read(1 << 18))
                continue
        except h11.RemoteProtocolError as error:
            raise GatewayError(f"the daemon ended the connection in the middle of an answer: {error}") from error
        if isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            keep = http.their_state is h11.DONE and http.our_state is h11.DONE
            return Answer(head.status_code, tuple(head.headers.raw_items()), bytes(body)), keep
        elif isinstance(event, h11.ConnectionClosed):
            raise GatewayError("the daemon closed the connection without an answer")


def run(coroutine: Any) -> Any:
    """Run a coroutine from ordinary code, also where an event loop is running already (a notebook)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
