"""Backing a volume up and restoring it ÷ plain `tar` in a container that is typed, with the same files."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rows import Row, side_by_side
from docker_tutor.classroom.room import Room
from docker_tutor.dev import testengine
from docker_tutor.images import ensure
from docker_tutor.topics import backups

RUNS = 5
IMAGE = backups.IMAGE
FILL = "cd /data; for n in $(seq 256); do dd if=/dev/urandom of=$n bs=64k count=4 2>/dev/null; done"
"""256 files of 256 KiB, 64 MiB in all."""


def rows() -> Iterator[Row]:
    """Measure on the test engine."""
    with testengine.running() as engine, tempfile.TemporaryDirectory() as temporary:
        room, folder = Room("benchmark-backup", engine), Path(temporary)
        room.enter()
        with contextlib.closing(room):
            ensure(room.client, [IMAGE], disposable=engine.disposable)
            volume = str(room.client.volumes.create(room.unique("bench")).name)
            target = str(room.client.volumes.create(room.unique("bench-restored")).name)
            _docker("run", "--rm", "-v", f"{volume}:/data", IMAGE, "sh", "-c", FILL)
            kept = folder / "kept.tar"
            backups.back_up(room, volume, kept)
            yield side_by_side(
                "backup of 64 MiB, complete and on disk ÷ typed tar and sync",
                lambda: _plain_backup(volume, folder),
                lambda: _our_backup(room, volume, folder),
                runs=RUNS,
                at_most=1.1,
            )
            yield side_by_side(
                "restoration of 64 MiB ÷ typed tar",
                lambda: _plain_restore(target, kept),
                lambda: backups.restore(room, kept, target),
                runs=RUNS,
                at_most=1.1,
            )


def _docker(*words: str) -> None:
    subprocess.run(["docker", *words], check=True, capture_output=True)


def _plain_backup(volume: str, folder: Path) -> None:
    made = folder / "plain.tar"
    mounts = ("-v", f"{volume}:/data:ro", "-v", f"{folder}:/backup")
    _docker("run", "--rm", "--network=none", *mounts, IMAGE, "tar", "cf", f"/backup/{made.name}", "-C", "/data", ".")
    subprocess.run([shutil.which("sync") or "sync", made], check=True)
    made.unlink()


def _our_backup(room: Room, volume: str, folder: Path) -> float:
    made = backups.back_up(room, volume, folder / "ours.tar")
    made.archive.unlink()
    return made.seconds


def _plain_restore(volume: str, archive: Path) -> None:
    mounts = ("-v", f"{volume}:/data", "-v", f"{archive.parent}:/backup:ro")
    _docker("run", "--rm", "--network=none", *mounts, IMAGE, "tar", "xf", f"/backup/{archive.name}", "-C", "/data")
