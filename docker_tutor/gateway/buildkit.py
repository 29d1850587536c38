"""BuildKit's own conversation, read along in the tunnel: which images a build makes, and what it may not do.

Source: moby/buildkit, api/services/control/control.proto. Only the wire format of protocol buffers is read
(a dozen lines), never a schema: fields 3, 4 and 13 of SolveRequest name the exporters, field 1 of SolveResponse
has what they made.
"""

from collections.abc import Awaitable, Callable, Iterator

from docker_tutor.gateway.http2 import GrpcCall, GrpcReader, refusal

__all__ = ["PRUNE", "SOLVE", "BuildkitWatch", "built", "exported_names"]

SOLVE = "/moby.buildkit.v1.Control/Solve"
PRUNE = "/moby.buildkit.v1.Control/Prune"

_EXPORTER_ATTRS, _EXPORTERS = 4, 13  # SolveRequest
_ATTRS = 2  # Exporter
_RESPONSE = 1  # SolveResponse
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the length-delimited fields of a protocol buffer."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        kind = key & 7
        if kind == _VARINT:
            _value, position = _varint(message, position)
        elif kind in {_FIXED64, _FIXED32}:
            position += 8 if kind == _FIXED64 else 4
        elif kind == _BYTES:
            length, position = _varint(message, position)
            yield key >> 3, message[position : position + length]
            position += length
        else:
            return


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(message):
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
    return value, position


def _pair(entry: bytes) -> tuple[str, str]:
    pair = {number: value.decode(errors="replace") for number, value in _fields(entry)}
    return pair.get(1, ""), pair.get(2, "")


def exported_names(solve_request: bytes) -> list[str]:
    """Return the names that a build is going to give to what it makes (`-t`)."""
    pairs = []
    for number, value in _fields(solve_request):
        if number == _EXPORTER_ATTRS:
            pairs.append(_pair(value))
        elif number == _EXPORTERS:
            pairs += [_pair(entry) for inner, entry in _fields(value) if inner == _ATTRS]
    return list(dict.fromkeys(name for key, value in pairs if key == "name" for name in value.split(",") if name))


def built(solve_response: bytes) -> dict[str, str]:
    """Return what a build says it has made: `containerimage.digest`, `image.name` and others."""
    return dict(_pair(value) for number, value in _fields(solve_response) if number == _RESPONSE)


class BuildkitWatch:
    """Sees one `/grpc` connection of a scope.

    `starting(names)` is asked before a build goes to the daemon, `pruning()` before the cache would be emptied:
    a sentence from either refuses it. `finished(names, ids)` is told what a build
    made; which of the ids is the image's depends on the image store. `over` is called once for each `starting`
    when the connection has ended.
    """

    def __init__(
        self,
        finished: Callable[[list[str], list[str]], Awaitable[None]],
        starting: Callable[[list[str]], Awaitable[str | None]] | None = None,
        pruning: Callable[[], str | None] | None = None,
        over: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._starting, self._pruning, self._finished, self._over = starting, pruning, finished, over
        self._builds = 0
        self._reader = GrpcReader(frozenset({SOLVE, PRUNE}))
        self._names: dict[int, list[str]] = {}
        self._refused = b""
        self.inject: Callable[[bytes], None] | None = None
        """Sends bytes to the client between two frames of the daemon's; set by the tunnel."""

    async def up(self, data: bytes) -> bytes:
        """See what the client sends; after a refusal nothing of it reaches the daemon any more."""
        if self._refused:
            return b""
        for call, message in self._reader.sent(data):
            sentence = await self._judge(call, message)
            if sentence is not None:
                self._refused = refusal(call.stream, sentence)
                if self._reader.down.at_boundary and self.inject is not None:
                    self.inject(self._refused)
                return b""
        return data

    async def _judge(self, call: GrpcCall, message: bytes | None) -> str | None:
        if call.method == PRUNE:
            return self._pruning() if self._pruning is not None else None
        if message is None:
            return None
        names = self._names[call.stream] = exported_names(message)
        self._builds += 1
        return await self._starting(names) if self._starting is not None else None

    async def down(self, data: bytes) -> bytes:
        """See what the daemon answers; it is passed on as it is."""
        waiting = self._refused and not self._reader.down.at_boundary
        for call, message in self._reader.received(data):
            if call.method == SOLVE:
                made = built(message)
                ids = [made[key] for key in ("containerimage.digest", "containerimage.config.digest") if made.get(key)]
                await self._finished(self._names.pop(call.stream, []), ids)
        if waiting and self._reader.down.at_boundary:
            return data + self._refused
        return data

    async def ended(self) -> None:
        """Take note that the connection has ended, and with it its builds."""
        while self._builds and self._over is not None:
            self._builds -= 1
            await self._over()
