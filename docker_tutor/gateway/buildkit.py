"""BuildKit's own conversation, read along in the tunnel: which images a build makes, and what it may not do.

Source: moby/buildkit, api/services/control/control.proto. Only the wire format of protocol buffers is read
(a dozen lines), never a schema: fields 3, 4 and 13 of SolveRequest name the exporters, field 1 of SolveResponse
has what they made.
"""

from collections.abc import Awaitable, Callable, Iterator

from docker_tutor.gateway.http2 import GrpcCall, GrpcReader, refusal

__all__ = ["HISTORY", "PRUNE", "SOLVE", "BuildkitWatch", "built", "exported_names", "history_change"]

SOLVE = "/moby.buildkit.v1.Control/Solve"
PRUNE = "/moby.buildkit.v1.Control/Prune"
HISTORY = "/moby.buildkit.v1.Control/UpdateBuildHistory"

_EXPORTER_ATTRS, _EXPORTERS = 4, 13  # SolveRequest
_ATTRS = 2  # Exporter
_RESPONSE = 1  # SolveResponse
_REF = 1  # SolveRequest, UpdateBuildHistoryRequest
_PINNED, _DELETE = 2, 3  # UpdateBuildHistoryRequest
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def _numbers(message: bytes) -> Iterator[tuple[int, int]]:
    """Yield the fields of a protocol buffer that are numbers."""
    return ((number, value) for number, value in _all_fields(message) if isinstance(value, int))


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the fields of a protocol buffer that are texts, bytes or messages."""
    return ((number, value) for number, value in _all_fields(message) if isinstance(value, bytes))


def _all_fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        kind = key & 7
        if kind == _VARINT:
            value, position = _varint(message, position)
            yield key >> 3, value
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


def _ref(message: bytes) -> str:
    return next((value.decode(errors="replace") for number, value in _fields(message) if number == _REF), "")


def history_change(update_request: bytes) -> str | None:
    """Return the build whose record would be deleted or pinned; None when it would only be completed."""
    changes = any(number in {_PINNED, _DELETE} and value for number, value in _numbers(update_request))
    return _ref(update_request) if changes else None


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
        refs: set[str] | None = None,
    ) -> None:
        """Watch; `refs` collects the builds of the scope, whose records alone it may change when `pruning` refuses."""
        self._starting, self._pruning, self._finished, self._over = starting, pruning, finished, over
        self._builds = 0
        self._refs = set() if refs is None else refs
        self._reader = GrpcReader(frozenset({SOLVE, PRUNE, HISTORY}))
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
        if call.method == HISTORY:
            ref = history_change(message)
            return None if ref is None or ref in self._refs or self._pruning is None else self._pruning()
        names = self._names[call.stream] = exported_names(message)
        self._builds += 1
        self._refs.add(_ref(message))
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
