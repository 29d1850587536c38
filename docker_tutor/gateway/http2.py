"""What passes a gRPC connection, read along and never changed: calls, their messages, and where frames end.

Sources: RFC 9113 (HTTP/2), RFC 7541 (HPACK), gRPC over HTTP/2 (five bytes before every message).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

import hpack
from hyperframe.frame import ContinuationFrame, DataFrame, Frame, GoAwayFrame, HeadersFrame, PushPromiseFrame

__all__ = ["FrameReader", "GrpcCall", "GrpcReader", "refusal"]

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEAD_BYTES = 9
_MESSAGE_BYTES = 32 * 1024 * 1024
_PERMISSION_DENIED = "7"
_DATA = 0


class FrameReader:
    """Cuts one direction of a connection into frames; skips the bodies of DATA frames that nobody wants."""

    def __init__(self, *, preface: bool) -> None:
        self._buffer = bytearray()
        self._preface = len(_PREFACE) if preface else 0
        self._skip = 0

    @property
    def at_boundary(self) -> bool:
        """Whether everything that has passed so far ends with a whole frame."""
        return not self._buffer and not self._skip and not self._preface

    def feed(self, data: bytes, wanted: "set[int] | dict[int, GrpcCall]") -> Iterator[Frame]:
        """Take in bytes; yield the frames that they complete. DATA is yielded for `wanted` streams alone."""
        self._buffer += data
        while self._buffer:
            if ahead := self._preface or self._skip:
                taken = min(ahead, len(self._buffer))
                del self._buffer[:taken]
                self._preface, self._skip = (ahead - taken, 0) if self._preface else (0, ahead - taken)
                continue
            if len(self._buffer) < _HEAD_BYTES:
                return
            length = int.from_bytes(self._buffer[:3], "big")
            stream = int.from_bytes(self._buffer[5:9], "big") & 0x7FFFFFFF
            if self._buffer[3] == _DATA and stream not in wanted:
                del self._buffer[:_HEAD_BYTES]
                self._skip = length
                continue
            if len(self._buffer) < _HEAD_BYTES + length:
                return
            raw = bytes(self._buffer[: _HEAD_BYTES + length])
            del self._buffer[: _HEAD_BYTES + length]
            frame, _length = Frame.parse_frame_header(memoryview(raw)[:_HEAD_BYTES])
            frame.parse_body(memoryview(raw)[_HEAD_BYTES:])
            yield frame


@dataclass(slots=True)
class GrpcCall:
    """One call on the connection: which method, on which stream."""

    stream: int
    method: str
    """`/moby.buildkit.v1.Control/Solve`."""
    _sent: bytearray = field(default_factory=bytearray)
    _received: bytearray = field(default_factory=bytearray)

    def add(self, data: bytes, *, sent: bool) -> Iterator[bytes]:
        """Take in DATA of one direction; yield the messages that it completes."""
        buffer = self._sent if sent else self._received
        buffer += data
        while len(buffer) >= 5:
            length = int.from_bytes(buffer[1:5], "big")
            if length > _MESSAGE_BYTES or buffer[0]:  # too long, or compressed: nothing that BuildKit's clients send
                buffer.clear()
                return
            if len(buffer) < 5 + length:
                return
            message = bytes(buffer[5 : 5 + length])
            del buffer[: 5 + length]
            yield message


class GrpcReader:
    """Follows the calls of one connection, for the methods of interest."""

    def __init__(self, methods: frozenset[str]) -> None:
        self._methods = methods
        self._hpack = hpack.Decoder()
        self._up = FrameReader(preface=True)
        self.down = FrameReader(preface=False)
        self._block = bytearray()
        self._calls: dict[int, GrpcCall] = {}

    def sent(self, data: bytes) -> Iterator[tuple[GrpcCall, bytes | None]]:
        """Read what the client sends: `(call, None)` as a call begins, then `(call, message)`."""
        for frame in self._up.feed(data, self._calls):
            if isinstance(frame, HeadersFrame | ContinuationFrame | PushPromiseFrame):
                self._block += frame.data
                if "END_HEADERS" in frame.flags:
                    headers = {str(header[0]): str(header[1]) for header in self._hpack.decode(bytes(self._block))}
                    self._block.clear()
                    method = headers.get(":path", "")
                    if method in self._methods:
                        call = self._calls[frame.stream_id] = GrpcCall(frame.stream_id, method)
                        yield call, None
            elif isinstance(frame, DataFrame) and frame.stream_id in self._calls:
                call = self._calls[frame.stream_id]
                for message in call.add(frame.data, sent=True):
                    yield call, message

    def received(self, data: bytes) -> Iterator[tuple[GrpcCall, bytes]]:
        """Read what the daemon sends: the messages that answer the calls of interest."""
        for frame in self.down.feed(data, self._calls):
            if isinstance(frame, DataFrame) and frame.stream_id in self._calls:
                call = self._calls[frame.stream_id]
                for message in call.add(frame.data, sent=False):
                    yield call, message


def refusal(stream: int, message: str) -> bytes:
    """Return the frames that end one call with PERMISSION_DENIED and the connection for all calls after it.

    The header block uses no dynamic table, so that it fits into any connection.
    """
    headers = [
        hpack.NeverIndexedHeaderTuple(":status", "200"),
        hpack.NeverIndexedHeaderTuple("content-type", "application/grpc"),
        hpack.NeverIndexedHeaderTuple("grpc-status", _PERMISSION_DENIED),
        hpack.NeverIndexedHeaderTuple("grpc-message", quote(message, safe=" ,.:;()'/")),
    ]
    answer = HeadersFrame(stream, hpack.Encoder().encode(headers))
    answer.flags.add("END_HEADERS")
    answer.flags.add("END_STREAM")
    return answer.serialize() + GoAwayFrame(0, last_stream_id=stream).serialize()
