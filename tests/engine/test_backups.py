"""Backups of volumes on a real engine: equal after a round trip, never half, never lost."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from docker_tutor import MiB, open_room
from docker_tutor.classroom.room import Room
from docker_tutor.engines.base import Engine
from docker_tutor.errors import ClassroomError
from docker_tutor.topics import backups

pytestmark = [pytest.mark.engine, pytest.mark.one_in(2)]

BACKING_UP = """
import json, sys
from pathlib import Path
from docker_tutor import backups, open_room
folder = Path(sys.argv[1])
room = open_room("07-backups-killed", images=["alpine"])
room.cli("run", "--rm", "-v", "big:/data", "alpine", "dd", "if=/dev/urandom", "of=/data/blob", "bs=1M", "count=200")
name = room.api.inspect_volume("big")["Name"]
done = backups.back_up(room, name, folder / "first.tar")
print(json.dumps({"done": str(done.archive), "size": done.size_bytes}), flush=True)
backups.back_up(room, name, folder / "second.tar")
print("not killed", flush=True)
"""


@pytest.fixture(scope="module")
def room(engine: Engine) -> Iterator[Room]:
    with open_room("07-backups", images=["alpine", "postgres:16"]) as room:
        yield room


@pytest.fixture
def volume(room: Room) -> Iterator[str]:
    """Have a volume with a file that everybody may read and one that nobody but its owner may."""
    made = room.client.volumes.create(room.unique("kept"))
    script = "cd /data; echo open > open; echo mine > mine; chown 1234:5678 mine; chmod 600 mine; ln -s open link"
    room.cli("run", "--rm", "-v", f"{made.name}:/data", "alpine", "sh", "-ec", script)
    yield str(made.name)
    made.remove(force=True)


def listing(room: Room, volume: str) -> str:
    """Return owners, modes, sizes and checksums of a volume's files."""
    script = "cd /data && ls -lnR . | grep -v ^total && md5sum open mine"
    said = room.cli("run", "--rm", "-v", f"{volume}:/data:ro", "alpine", "sh", "-ec", script).stdout
    return "\n".join(" ".join(words[:5] + words[8:]) for words in map(str.split, said.splitlines()))


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_database_is_equal_after_backup_destruction_and_restoration(room: Room) -> None:
    trip = backups.round_trip(room, rows=500)
    assert trip.volume_was_gone
    assert trip.before == trip.after
    assert trip.after.rows == 500
    assert trip.backup.files > 100
    assert list(room.folder.iterdir()) == []


def test_owners_modes_and_links_come_back(room: Room, volume: str, tmp_path: Path) -> None:
    backups.back_up(room, volume, tmp_path / "kept.tar")
    again = room.client.volumes.create(room.unique("again"))
    try:
        backups.restore(room, tmp_path / "kept.tar", again.name)
        assert listing(room, again.name) == listing(room, volume)
        assert "1234 5678" in listing(room, again.name)
    finally:
        again.remove(force=True)


def test_a_torn_copy_never_starts_and_a_dump_is_consistent(room: Room) -> None:
    torn = backups.torn_copy(room, rows=300)
    assert not torn.copy_started
    assert "checkpoint" in torn.copy_said
    assert torn.rows_when_copying_began < torn.dump_rows < torn.rows_when_copying_ended
    assert torn.dump_rows == torn.dump_rows_promised


def test_a_backup_never_replaces_another(room: Room, volume: str, tmp_path: Path) -> None:
    archive = tmp_path / "kept.tar"
    archive.write_bytes(b"an older backup")
    with pytest.raises(ClassroomError, match="choose a new name"):
        backups.back_up(room, volume, archive)
    assert archive.read_bytes() == b"an older backup"
    assert names_in(tmp_path) == ["kept.tar"]


def test_a_restoration_from_nothing_is_refused_before_it_touches_the_volume(
    room: Room, volume: str, tmp_path: Path
) -> None:
    before = listing(room, volume)
    with pytest.raises(ClassroomError, match="no backup"):
        backups.restore(room, tmp_path / "missing.tar", volume)
    assert listing(room, volume) == before


def test_a_kill_in_the_middle_leaves_no_half_archive_and_loses_no_finished_one(engine: Engine, tmp_path: Path) -> None:
    command = [sys.executable, "-c", BACKING_UP, str(tmp_path)]
    part, never = tmp_path / "second.tar.part", threading.Event()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as working:
        assert working.stdout is not None
        reported = next(json.loads(line) for line in working.stdout if line.startswith("{"))
        # Polling: a file that begins to exist announces itself to nobody. Most of its 200 MiB are then still to come.
        while working.poll() is None and not part.exists():
            never.wait(0.005)
        working.send_signal(signal.SIGKILL)
        rest = working.stdout.read()
    assert "not killed" not in rest
    assert not (tmp_path / "second.tar").exists()
    first = Path(reported["done"])
    assert first.stat().st_size == reported["size"] > 200 * MiB
    assert subprocess.run(["tar", "tf", first], capture_output=True, check=True).stdout.splitlines()[-1] == b"./blob"


def test_a_backup_can_be_made_again_where_one_was_killed(room: Room, volume: str, tmp_path: Path) -> None:
    (tmp_path / "kept.tar.part").write_bytes(b"half of an archive")
    made = backups.back_up(room, volume, tmp_path / "kept.tar")
    assert made.size_bytes > len(b"half of an archive")
    assert names_in(tmp_path) == ["kept.tar"]
