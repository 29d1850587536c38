"""Builds and their cache on a real BuildKit."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from docker_tutor import open_room
from docker_tutor.classroom.room import Room
from docker_tutor.engines.base import Engine
from docker_tutor.errors import CommandFailed
from docker_tutor.topics import builds, cache
from docker_tutor.topics.cache_share import forget

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def room(engine: Engine) -> Iterator[Room]:
    with open_room("06-builds", images=["alpine:3.19", "python:3.11-slim", "registry:2"]) as room:
        yield room


@pytest.fixture
def context(room: Room) -> Path:
    nonce = uuid.uuid4().hex
    text = "FROM alpine:3.19\nCOPY list ./\nRUN cat list > /copy\nCOPY . /all\n"
    return builds.write_context(room.folder / nonce, {"Dockerfile": text, "list": nonce, "more": nonce})


def images(room: Room) -> set[str]:
    return {str(image["Id"]) for image in room.api.images(all=True)}


def test_a_build_tells_its_steps_its_times_and_its_context(room: Room, context: Path) -> None:
    built = builds.build(room, context)
    assert built.ok
    assert built.trace.ran == ("COPY list ./", "RUN cat list > /copy", "COPY . /all")
    assert built.trace.context_bytes > 64
    assert 0 < built.trace.line("RUN").seconds < built.seconds


def test_the_same_build_again_comes_from_the_cache(room: Room, context: Path) -> None:
    builds.build(room, context)
    assert builds.build(room, context).trace.ran == ()


def test_a_build_without_a_tag_leaves_no_image(room: Room, context: Path) -> None:
    before = images(room)
    builds.build(room, context)
    assert images(room) == before


def test_the_reason_is_the_file_and_below_it_the_line_above(room: Room, context: Path) -> None:
    before = builds.build(room, context)
    (context / "list").write_text(uuid.uuid4().hex)  # what an earlier run wrote is in the cache
    reasons = builds.why(before, builds.build(room, context))
    assert [reason.cause for reason in reasons.all] == ["files", "above", "files"]


def test_a_failing_build_raises_with_its_log(room: Room) -> None:
    folder = builds.write_context(room.folder / "fails", {"Dockerfile": "FROM alpine:3.19\nRUN echo why; false\n"})
    with pytest.raises(CommandFailed, match="why"):
        builds.build(room, folder)
    failed = builds.build(room, folder, check=False)
    assert not failed.ok
    assert failed.trace.line("RUN").state == "failed"


def test_every_rule_holds_and_every_experiment_ends_as_the_rules_say(room: Room) -> None:
    grid = cache.rules(room)
    assert grid.surprises == ()
    assert grid.cell("copy all", "same mtime").cause == "stale"
    assert grid.cell("copy from", "upstream").cause == "same output"
    assert grid.cell("install", "secret").cause == "secret"
    assert grid.cell("build", "arg").cause == "variable"


def test_a_file_that_was_not_sent_stays_old_with_no_cache_and_a_touch_cures_it(room: Room) -> None:
    nonce = uuid.uuid4().hex
    dockerfile = "FROM alpine:3.19\nCOPY f /f\nCMD cat /f\n"
    folder = builds.write_context(
        room.folder / f"old-{nonce}", {"Dockerfile": dockerfile, "f": f"{nonce} 1"}, mtime_ns=1
    )
    tags = [f"{room.unique('old')}:{number}" for number in range(3)]
    said = []
    for number, tag in enumerate(tags):
        if number == 1:
            builds.write_context(folder, {"f": f"{nonce} 2"}, mtime_ns=1)
        if number == 2:
            os.utime(folder / "f")
        builds.build(room, folder, tag=tag, options=["--no-cache"])
        said.append(room.cli("run", "--rm", tag).stdout.split()[-1])
    room.cli("image", "rm", *tags)
    assert said == ["1", "1", "2"]


def test_a_run_goes_stale_and_is_cured(room: Room) -> None:
    before = images(room)
    stale = cache.stale_run(room)
    assert stale.stale
    assert stale.cured
    assert images(room) == before


def test_the_order_of_lines_decides_what_an_edit_runs(room: Room) -> None:
    ordered = cache.order(room)
    assert ordered.after.ran == ("COPY . .",)
    assert len(ordered.before.ran) == 2


def test_dockerignore_keeps_junk_from_being_sent_and_from_counting(room: Room) -> None:
    smaller = cache.smaller_context(room, junk_bytes=2_000_000)
    assert smaller.before.first_bytes > 2_000_000 > smaller.after.first_bytes
    assert (smaller.before.ran, smaller.after.ran) == (("COPY . .",), ())


def test_a_cache_mount_keeps_what_the_compiler_has_done(room: Room) -> None:
    compiled = cache.cache_mount(room)
    assert compiled.before.work > 100
    assert compiled.after.work == 1


def test_no_cache_gives_an_empty_mount_and_a_remark_the_one_there_was(room: Room, tmp_path: Path) -> None:
    nonce = uuid.uuid4().hex

    def build(remark: str, *options: str) -> str:
        # The mount's id is no part of what the cache goes by, so the remark is new each time as well.
        line = f"RUN --mount=type=cache,id={nonce},target=/kept ls /kept; touch /kept/mark  # {remark} {nonce}"
        built = builds.build(room, tmp_path, dockerfile=f"FROM alpine:3.19\n{line}\n", options=options)
        return str(built.trace.lines[-1].log)

    assert "mark" not in build("one")
    assert "mark" in build("two")
    assert "mark" not in build("two", "--no-cache")


def test_a_cache_travels_in_the_ways_that_the_image_store_allows(room: Room) -> None:
    before = images(room)
    shared = cache.share(room)
    if not room.capabilities.disposable:
        assert (shared.exchanges, "not the course's" in shared.note) == ((), True)
        return
    able = room.capabilities.cache_export_local
    assert [exchange.exported for exchange in shared.exchanges] == [True, able, able]
    for exchange in shared.exchanges:
        assert bool(exchange.error) != exchange.exported
        assert (len(exchange.cold), len(exchange.imported)) == ((2, 2) if exchange.exported else (0, 0))
    assert images(room) == before


def test_forgetting_takes_only_what_is_named(room: Room) -> None:
    words = [uuid.uuid4().hex, uuid.uuid4().hex]
    contexts = [
        builds.write_context(room.folder / word, {"Dockerfile": f"FROM alpine:3.19\nRUN : {word}\n"}) for word in words
    ]
    for context in contexts:
        builds.build(room, context)
    if not room.capabilities.disposable:
        with pytest.raises(CommandFailed, match="belong to everyone on this engine"):
            forget(room, words[0])
        return
    assert forget(room, words[0]) == 1
    assert [builds.build(room, context).trace.ran for context in contexts] == [(f"RUN : {words[0]}",), ()]
