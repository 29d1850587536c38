import asyncio

import hpack
import pytest
from hyperframe.frame import ContinuationFrame, DataFrame, Frame, GoAwayFrame, HeadersFrame, SettingsFrame

from docker_tutor.gateway.buildkit import HISTORY, PRUNE, SOLVE, BuildkitWatch, built, exported_names, history_change
from docker_tutor.gateway.http2 import FrameReader

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def field(number: int, value: bytes | str) -> bytes:
    value = value.encode() if isinstance(value, str) else value
    assert len(value) < 16384
    return bytes([number << 3 | 2]) + varint(len(value)) + value


def varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128, value >> 7])


def pair(key: str, value: str) -> bytes:
    return field(1, key) + field(2, value)


def message(payload: bytes) -> bytes:
    return b"\0" + len(payload).to_bytes(4, "big") + payload


def call(stream: int, method: str, encoder: hpack.Encoder, *, split: bool = False) -> bytes:
    block = encoder.encode([(":method", "POST"), (":path", method), ("x", "y" * 40)])
    if not split:
        frame = HeadersFrame(stream, block)
        frame.flags.add("END_HEADERS")
        return frame.serialize()
    rest = ContinuationFrame(stream, block[5:])
    rest.flags.add("END_HEADERS")
    return HeadersFrame(stream, block[:5]).serialize() + rest.serialize()


SOLVE_REQUEST = (
    field(1, "ref")
    + bytes([9 << 3, 1])  # a number between the fields that are looked for
    + field(3, "moby")
    + field(4, pair("name", "docker.io/library/web:1,docker.io/library/web:2"))
    + field(13, field(1, "moby") + field(2, pair("name", "docker.io/library/web:1")))
)
SOLVE_RESPONSE = field(1, pair("containerimage.digest", "sha256:aa")) + field(1, pair("image.name", "web"))


class Seen:
    def __init__(self, refuse: str | None = None) -> None:
        self.started: list[list[str]] = []
        self.finished: list[tuple[list[str], list[str]]] = []
        self.injected = b""
        self.watch = BuildkitWatch(self._finished, self._starting, lambda: refuse)
        self.watch.inject = self._inject

    async def _starting(self, names: list[str]) -> None:
        self.started.append(names)

    async def _finished(self, names: list[str], ids: list[str]) -> None:
        self.finished.append((names, ids))

    def _inject(self, data: bytes) -> None:
        self.injected += data


def test_names_and_results_are_read_without_a_schema() -> None:
    assert exported_names(SOLVE_REQUEST) == ["docker.io/library/web:1", "docker.io/library/web:2"]
    assert built(SOLVE_RESPONSE) == {"containerimage.digest": "sha256:aa", "image.name": "web"}
    assert exported_names(b"") == []
    assert exported_names(b"\xff\xff\xff") == []


@pytest.mark.parametrize("step", [1, 7, 100_000])
@pytest.mark.parametrize("split", [False, True])
def test_a_build_is_followed_however_its_bytes_arrive(step: int, split: bool) -> None:
    seen, encoder = Seen(), hpack.Encoder()
    up = PREFACE + SettingsFrame(0).serialize()
    up += call(1, "/moby.buildkit.v1.Control/Status", encoder) + DataFrame(1, message(b"x" * 500)).serialize()
    up += call(3, SOLVE, encoder, split=split)
    whole = message(SOLVE_REQUEST)
    up += DataFrame(3, whole[:9]).serialize() + DataFrame(1, b"other").serialize() + DataFrame(3, whole[9:]).serialize()
    down = SettingsFrame(0).serialize() + DataFrame(1, b"y" * 300).serialize()
    down += DataFrame(3, message(SOLVE_RESPONSE)).serialize()

    async def pass_all() -> tuple[bytes, bytes]:
        ups = [await seen.watch.up(up[i : i + step]) for i in range(0, len(up), step)]
        downs = [await seen.watch.down(down[i : i + step]) for i in range(0, len(down), step)]
        return b"".join(ups), b"".join(downs)

    assert asyncio.run(pass_all()) == (up, down)  # nothing is changed on the way
    assert seen.started == [["docker.io/library/web:1", "docker.io/library/web:2"]]
    assert seen.finished == [(seen.started[0], ["sha256:aa"])]


def frames(data: bytes) -> list[Frame]:
    return list(FrameReader(preface=False).feed(data, set(range(100))))


def test_a_refused_call_is_answered_and_nothing_more_reaches_the_daemon() -> None:
    seen, encoder = Seen(refuse="not yours"), hpack.Encoder()

    async def prune() -> list[bytes]:
        await seen.watch.down(SettingsFrame(0).serialize())
        first = await seen.watch.up(PREFACE + SettingsFrame(0).serialize())
        return [first, await seen.watch.up(call(1, PRUNE, encoder)), await seen.watch.up(b"more")]

    sent = asyncio.run(prune())
    assert sent[0]
    assert sent[1:] == [b"", b""]
    answer, goodbye = frames(seen.injected)
    assert isinstance(answer, HeadersFrame)
    assert {"END_STREAM", "END_HEADERS"} <= set(answer.flags)
    headers = dict(hpack.Decoder().decode(answer.data))
    assert headers["grpc-status"] == "7"
    assert headers["grpc-message"] == "not yours"
    assert isinstance(goodbye, GoAwayFrame)


def test_a_refusal_waits_for_the_end_of_a_frame_that_is_under_way() -> None:
    seen, encoder = Seen(refuse="no"), hpack.Encoder()
    frame = DataFrame(1, b"z" * 50).serialize()

    async def prune() -> bytes:
        first = await seen.watch.down(frame[:20])
        await seen.watch.up(PREFACE + call(1, PRUNE, encoder))
        assert seen.injected == b""
        return first + await seen.watch.down(frame[20:])

    down = asyncio.run(prune())
    assert down.startswith(frame)
    assert [type(frame) for frame in frames(down)] == [DataFrame, HeadersFrame, GoAwayFrame]


def test_a_record_of_a_build_is_changed_by_its_scope_alone() -> None:
    delete = field(1, "theirs") + bytes([3 << 3, 1])
    assert history_change(delete) == "theirs"
    assert history_change(field(1, "any") + bytes([4 << 3, 1])) is None  # completed, not changed

    async def remove(ref: str) -> bytes:
        seen, encoder = Seen(refuse="no"), hpack.Encoder()
        seen.watch._refs.add("ours")
        await seen.watch.up(PREFACE + call(1, HISTORY, encoder))
        await seen.watch.up(DataFrame(1, message(field(1, ref) + bytes([3 << 3, 1]))).serialize())
        return seen.injected

    assert asyncio.run(remove("ours")) == b""
    assert asyncio.run(remove("theirs")) != b""
