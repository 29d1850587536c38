"""OverlayFS under real containers, with either image store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from docker_tutor import MiB, open_room
from docker_tutor.classroom.room import Room
from docker_tutor.engines.base import Engine
from docker_tutor.topics import overlay

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def room(engine: Engine) -> Iterator[Room]:
    with open_room("06-overlay", images=["alpine:3.19", "python:3.11-slim"]) as room:
        yield room


def test_the_mount_of_a_container_names_its_directories(room: Room) -> None:
    name = room.unique("mounted")
    room.cli("run", "--detach", "--name", name, "alpine:3.19", "sleep", "60")
    try:
        mounted = overlay.mount(room, name)
        store = room.capabilities.image_store
        assert mounted.source == ("docker inspect" if store == "graph" else "mount table")
        layers = room.api.inspect_image("alpine:3.19")["RootFS"]["Layers"]
        assert len(mounted.lower) == len(layers) + 1
        assert mounted.readable == room.capabilities.host_layers
        if mounted.readable:
            room.cli("exec", name, "touch", "/written-here")
            assert (Path(mounted.upper) / "written-here").exists()
    finally:
        room.cli("rm", "--force", name)


def test_the_first_write_copies_the_file_whole_and_so_does_a_chmod(room: Room) -> None:
    copied = overlay.copy_up(room, file_bytes=32 * MiB)
    assert copied.writable_before_bytes < MiB
    assert copied.writable_after_write_bytes >= 32 * MiB
    assert copied.writable_after_chmod_bytes >= 64 * MiB
    assert copied.first_write_s > 10 * copied.second_write_s


def test_what_hides_is_written_down_and_what_is_kept_is_not(room: Room) -> None:
    view = overlay.view(room)
    seen = {entry.path: (entry.lower, entry.upper, entry.merged) for entry in view.entries}
    assert seen["/files/kept"] == ("kept", "", "kept")
    assert seen["/files/changed"] == ("old", "new", "new")
    assert seen["/files/added"] == ("", "mine", "mine")
    assert seen["/files/removed"] == ("gone", "whiteout", "")
    assert "/files/removed" in view.committed
    assert view.entry("/files/removed").diff == "D"
    if room.capabilities.host_layers:
        assert view.devices == ("/files/removed",)
        assert seen["/files/folder"][1] == "opaque"
