"""Where data lives, on a real engine: what survives, what is full, what a prune takes."""

from collections.abc import Iterator

import pytest

from docker_tutor import MiB, open_room
from docker_tutor.classroom.room import Room
from docker_tutor.engines.base import Engine
from docker_tutor.topics import places, prunes, volume_speed, volumes

pytestmark = [pytest.mark.engine, pytest.mark.one_in(2)]


@pytest.fixture(scope="module")
def room(engine: Engine) -> Iterator[Room]:
    with open_room("07-volumes", images=["alpine", "nginx", "python:3.11-slim"]) as room:
        yield room


def names(room: Room) -> set[str]:
    return {volume["Name"] for volume in room.api.volumes()["Volumes"] or []}


def test_only_volumes_and_bind_mounts_outlive_their_container(room: Room) -> None:
    kept = volumes.survival(room)
    assert [row.place for row in kept.rows if row.after_removal] == ["named volume", "bind mount"]
    # A room of its own runs beside: what it restarts is never the engine that others use.
    assert [row.place for row in kept.rows if row.after_engine_restart is False] == ["tmpfs"]
    assert not kept.not_restarted


def test_a_tmpfs_is_empty_after_a_stop_and_the_layer_is_not(room: Room) -> None:
    kept = volumes.survival(room)
    assert [row.place for row in kept.rows if not row.after_stop_and_start] == ["tmpfs"]
    assert kept.row("tmpfs").file_system == "tmpfs"
    assert kept.row("container layer").file_system == "overlay"


def test_an_edit_through_a_bind_mount_is_seen_on_both_sides(room: Room) -> None:
    edit = volumes.live_edit(room)
    assert (edit.inside_before, edit.inside_after) == ("first draft", "second draft")
    assert edit.outside_after_append.splitlines()[-1] == "a line from inside"


def test_an_empty_named_volume_takes_the_images_files_and_a_bind_mount_hides_them(room: Room) -> None:
    over = volumes.prefill(room)
    assert over.image_files
    assert over.volume_files == over.image_files
    assert over.bind_files == ()


def test_a_tmpfs_takes_exactly_its_size(room: Room) -> None:
    full = volumes.tmpfs_limit(room, 4 * MiB)
    assert (full.limit_bytes, full.written_bytes) == (4 * MiB, 4 * MiB)
    assert "No space left" in full.message


def test_every_place_is_measured_as_often_as_asked(room: Room) -> None:
    speed = volume_speed.write_speed(room, 4 * MiB, repetitions=2)
    assert list(speed.seconds) == list(places.PLACES)
    assert all(len(times) == 2 and min(times) > 0 for times in speed.seconds.values())


def test_a_prune_takes_anonymous_volumes_and_prune_all_the_named_ones_too(room: Room) -> None:
    plan = prunes.volumes(room)
    assert plan.previewed == plan.taken_by_prune == ("anonymous",)
    assert plan.taken_by_prune_all == ("anonymous", "named")


def test_the_demonstrations_leave_no_volume_and_no_container(room: Room) -> None:
    before = names(room), len(room.api.containers(all=True))
    volumes.survival(room)
    volumes.prefill(room)
    prunes.volumes(room)
    assert (names(room), len(room.api.containers(all=True))) == before
