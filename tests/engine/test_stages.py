"""Stages, targets and programs on scratch, on a real BuildKit."""

import uuid
from collections.abc import Iterator

import pytest

from docker_tutor import open_room
from docker_tutor.classroom.room import Room
from docker_tutor.engines.base import Engine
from docker_tutor.errors import ImageError
from docker_tutor.topics import builds, stages, statically

pytestmark = pytest.mark.engine

TARGETS = """\
FROM alpine:3.19 AS builder
RUN echo {nonce} > /made && head -c 5000 /dev/zero > /usr/local/zeros

FROM builder AS impossible
RUN false

FROM alpine:3.19 AS production
COPY --from=builder /made /made
"""


@pytest.fixture(scope="module")
def room(engine: Engine) -> Iterator[Room]:
    with open_room("04-stages", images=["alpine:3.19"]) as room:
        yield room


@pytest.fixture(scope="module")
def context(room: Room) -> str:
    nonce = uuid.uuid4().hex[:8]
    builds.write_context(room.folder / nonce, {"Dockerfile": TARGETS.format(nonce=nonce)})
    return nonce


def test_each_target_runs_and_the_stages_that_it_does_not_need_are_skipped(room: Room, context: str) -> None:
    before = {str(image["Id"]) for image in room.api.images(all=True)}
    built = stages.targets(room, context, {"production": ["cat", "/made"], "builder": ["cat", "/made"]})
    assert [target.said for target in built.all] == [context, context]
    assert built.target("production").fates == {"builder": "ran", "impossible": "skipped", "production": "ran"}
    assert built.target("builder").fates == {"builder": "cached", "impossible": "skipped", "production": "skipped"}
    assert {str(image["Id"]) for image in room.api.images(all=True)} == before


def test_what_a_stage_left_behind_is_listed(room: Room, context: str) -> None:
    names = [room.unique("whole"), room.unique("part")]
    for name, target in zip(names, ("builder", "production"), strict=True):
        builds.build(room, context, tag=name, options=["--target", target])
    compared = stages.compare(room, *names)
    assert compared.single.size_bytes - compared.multi.size_bytes == 5000
    assert list(compared.left_out()["folder"]) == ["/usr/local"]
    assert dict(stages.compare(room, *names, folder="/usr/local").single.files)["usr/local/zeros"] == 5000


def test_two_different_stages_run_at_the_same_time_and_two_equal_ones_once(room: Room) -> None:
    both = stages.parallel(room, each_s=2)
    assert len(both.sleeps) == 2
    assert both.overlap_s > 1
    assert len(stages.parallel(room, each_s=1, identical=True).sleeps) == 1


def test_a_program_that_is_not_there_is_named(room: Room) -> None:
    with pytest.raises(ImageError, match="no /server in alpine"):
        statically.linkage(room, "alpine:3.19", "/server")
    with pytest.raises(ImageError, match="64-bit ELF"):
        statically.linkage(room, "alpine:3.19", "/etc/passwd")
