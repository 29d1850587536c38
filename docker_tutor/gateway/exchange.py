"""One request and its answer, as far as they have come; and how a head is written."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import IO

import h11

from docker_tutor.gateway.records import Call
from docker_tutor.gateway.requests import Request
from docker_tutor.gateway.wire import CHUNK_BYTES, ClientReader

__all__ = ["HEAD_BYTES", "Exchange", "Headers", "head", "without"]

HEAD_BYTES = 256 * 1024
"""How long a request's or an answer's head may be."""

Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Exchange:
    """One request and its answer."""

    reader: ClientReader
    http: h11.Connection
    """The client's side of the conversation."""
    head: h11.Request
    request: Request
    started_s: float = field(default_factory=time.time)
    clock: float = field(default_factory=time.perf_counter)
    original: str = ""
    status: int = 0
    sent: int = 0
    received: int = 0
    upgraded: bool = False
    spool: IO[bytes] | None = None

    @classmethod
    def begin(cls, reader: ClientReader, http: h11.Connection, head: h11.Request) -> "Exchange":
        """Begin with a request's head."""
        target = head.target.decode("latin-1")
        request = Request.parse(head.method.decode("latin-1"), target)
        request.agent = next((value.decode("latin-1") for name, value in head.headers if name == b"user-agent"), "")
        if not any(name in {b"content-length", b"transfer-encoding"} for name, _value in head.headers):
            http.next_event()  # no body: the request ends here
        return cls(reader, http, head, request, original=target)

    @property
    def request_ended(self) -> bool:
        """Whether the whole request has been read."""
        return self.http.their_state is h11.DONE or str(self.http.their_state) == "MIGHT_SWITCH_PROTOCOL"

    @property
    def body_left(self) -> bool:
        """Whether there is (more of) a body to pass on."""
        return self.spool is not None or not self.request_ended

    @property
    def surplus(self) -> bytes:
        """What has been read beyond the end of the request."""
        return self.http.trailing_data[0]

    async def keep_body(self, spool: IO[bytes]) -> None:
        """Read the whole body into a file; `event` then yields it from there."""
        while isinstance(event := await self.event(), h11.Data):
            spool.write(event.data)
        spool.seek(0)
        self.spool = spool

    async def event(self) -> h11.Data | h11.EndOfMessage:
        """Read the next part of the request's body. Raises ConnectionError when the client leaves in it."""
        if self.spool is not None:
            data = self.spool.read(CHUNK_BYTES)
            return h11.Data(data=data) if data else h11.EndOfMessage()
        while True:
            event = self.http.next_event()
            if event is h11.NEED_DATA:
                self.http.receive_data(await self.reader.read(CHUNK_BYTES))
            elif isinstance(event, h11.Data):
                self.sent += len(event.data)
                return event
            elif isinstance(event, h11.EndOfMessage):
                return event
            else:
                raise ConnectionResetError("the client left in the middle of a request")

    def call(self) -> Call:
        """Return the record of this exchange as it is now."""
        return Call(
            method=self.request.method,
            path=self.original,
            status=self.status,
            started_s=self.started_s,
            duration_s=time.perf_counter() - self.clock,
            request_bytes=self.sent,
            response_bytes=self.received,
            upgraded=self.upgraded,
            agent=self.request.agent,
        )


def head(status: int, headers: Iterable[tuple[bytes, bytes]], reason: bytes = b"") -> bytes:
    """Write an answer's head."""
    lines = [b"HTTP/1.1 %d %b" % (status, reason or HTTPStatus(status).phrase.encode())]
    lines += [b"%b: %b" % pair for pair in headers]
    return b"\r\n".join([*lines, b"", b""])


def without(headers: Iterable[tuple[bytes, bytes]], *names: bytes) -> Headers:
    """Return the headers that have none of these (lower-case) names."""
    return [pair for pair in headers if pair[0].lower() not in names]
