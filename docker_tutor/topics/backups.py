"""Saving a volume to a tar archive and bringing it back; and why a running database needs more than that.

Sources: `man 1 tar`; PostgreSQL's documentation, "File System Level Backup".
"""

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import docker
import pandas as pd
from docker.models.containers import Container
from docker.types import Mount

from docker_tutor.classroom.room import Room
from docker_tutor.errors import ClassroomError, CommandFailed
from docker_tutor.i18n import _
from docker_tutor.topics import databases
from docker_tutor.topics.databases import Fingerprint

__all__ = ["Backup", "RoundTrip", "TornCopy", "back_up", "restore", "round_trip", "torn_copy"]

IMAGE = "alpine"


@dataclass(frozen=True, slots=True)
class Backup:
    """A volume's files in one archive on this side."""

    archive: Path
    size_bytes: int
    files: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A database through backup, destruction and restoration of its volume."""

    before: Fingerprint
    after: Fingerprint
    volume_was_gone: bool
    """Whether the engine denied knowing the volume between the two."""
    backup: Backup
    restore_seconds: float

    def to_frame(self) -> pd.DataFrame:
        """Return the two fingerprints side by side."""
        return pd.DataFrame(
            {
                "": ["rows", "checksum"],
                "before": [str(self.before.rows), self.before.checksum],
                "after": [str(self.after.rows), self.after.checksum],
            }
        )


@dataclass(frozen=True, slots=True)
class TornCopy:
    """A database copied file by file while it was writing, then started from the copy."""

    rows_when_copying_began: int
    rows_when_copying_ended: int
    copy_started: bool
    """Whether a server came up on the copy."""
    copy_said: str
    """The line of the server's log that tells why not; empty when it came up."""
    dump_rows: int
    """Rows in the dump that `pg_dump` took of the same running server."""
    dump_rows_promised: int
    """Rows that were committed when `pg_dump` began."""


def back_up(room: Room, volume: str, archive: Path) -> Backup:
    """Write the files of `volume` into `archive`, owners and modes kept.

    The archive appears under its name only when it is complete and on disk, so that a backup that has
    been reported done is one. Raises CommandFailed when tar fails, ClassroomError when `archive` is there.
    """
    if archive.exists():
        message = _("{archive} is there already, and a backup never replaces another: choose a new name")
        raise ClassroomError(message.format(archive=archive))
    archive.parent.mkdir(parents=True, exist_ok=True)
    part = archive.with_name(archive.name + ".part")
    started = time.perf_counter()
    try:
        said = _tar(
            room,
            f"tar cvf /backup/{part.name} -C /data . > /tmp/list && wc -l < /tmp/list",
            Mount("/data", volume, type="volume", read_only=True),
            Mount("/backup", str(archive.parent.resolve()), type="bind"),
        )
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.rename(archive)
    finally:
        part.unlink(missing_ok=True)
    return Backup(archive, archive.stat().st_size, int(said), time.perf_counter() - started)


def restore(room: Room, archive: Path, volume: str) -> float:
    """Unpack `archive` into `volume` and return the seconds it took.

    Raises ClassroomError when there is no such archive, CommandFailed when tar fails.
    """
    if not archive.is_file():
        raise ClassroomError(_("There is no backup at {archive}").format(archive=archive))
    started = time.perf_counter()
    _tar(
        room,
        f"tar xf /backup/{archive.name} -C /data",
        Mount("/data", volume, type="volume"),
        Mount("/backup", str(archive.parent.resolve()), type="bind", read_only=True),
    )
    return time.perf_counter() - started


def _tar(room: Room, script: str, *mounts: Mount) -> str:
    words = ["sh", "-ec", script]
    try:
        output = room.client.containers.run(IMAGE, words, mounts=list(mounts), network_mode="none", remove=True)
    except docker.errors.ContainerError as error:
        said = str(error)
        raise CommandFailed(_("tar could not finish: {said}").format(said=said.strip())) from error
    return bytes(output).decode().strip()


def round_trip(room: Room, rows: int = 20_000) -> RoundTrip:
    """Fill a PostgreSQL volume, stop the server, back up, destroy, restore into a new volume, compare."""
    with tempfile.TemporaryDirectory(dir=room.folder) as folder:
        archive = Path(folder) / "postgres.tar"
        first = room.client.volumes.create(room.unique("pg-data"))
        try:
            with databases.server(room, first.name) as db:
                databases.fill(db, rows)
                before = databases.fingerprint(db)
            backup = back_up(room, first.name, archive)
        finally:
            first.remove(force=True)
        gone = not _there(room, first.name)
        second = room.client.volumes.create(room.unique("pg-restored"))
        try:
            restore_seconds = restore(room, archive, second.name)
            with databases.server(room, second.name) as db:
                after = databases.fingerprint(db)
        finally:
            second.remove(force=True)
    return RoundTrip(before, after, gone, backup, restore_seconds)


def _there(room: Room, volume: str) -> bool:
    try:
        room.client.volumes.get(volume)
    except docker.errors.NotFound:
        return False
    return True


def torn_copy(room: Room, rows: int = 2_000) -> TornCopy:
    """Copy the files of a running PostgreSQL in two halves with writing in between, then try to start from them.

    A copy of a large volume takes minutes, and its first files are minutes older than its last. Here the
    minutes are made short and the writing heavy: `pg_control`, which names the last checkpoint, is copied
    early; the log that begins there has been recycled when its turn comes.
    """
    volume = room.client.volumes.create(room.unique("pg-live"))
    copy = room.client.volumes.create(room.unique("pg-copy"))
    mounts = (
        Mount("/data", volume.name, type="volume", read_only=True),
        Mount("/copy", copy.name, type="volume"),
    )
    try:
        with databases.server(room, volume.name) as db:
            databases.fill(db, rows)
            began = databases.fingerprint(db).rows
            _tar(
                room,
                # busybox's tar knows no --exclude
                "cd /data && tar cf /tmp/early.tar $(ls -A | grep -vx pg_wal) && tar xf /tmp/early.tar -C /copy",
                *mounts,
            )
            _write_heavily(db)
            dumped = databases.dump(db)
            promised = databases.fingerprint(db).rows
            _write_heavily(db)
            _tar(
                room,
                "cd /data && tar cf /tmp/wal.tar pg_wal && tar xf /tmp/wal.tar -C /copy && rm -f /copy/postmaster.pid",
                *mounts,
            )
            ended = databases.fingerprint(db).rows
        started, said = _start_from(room, copy.name)
    finally:
        copy.remove(force=True)
        volume.remove(force=True)
    return TornCopy(began, ended, started, said, _rows_in(dumped), promised)


def _write_heavily(db: Container) -> None:
    # Each round fills a segment of the write-ahead log (16 MiB) and makes the one before it superfluous.
    for _round in range(2):
        databases.sql(
            db,
            "INSERT INTO reading SELECT max(id) + n, now(), 0, md5(n::text) "
            "FROM reading, generate_series(1, 500) AS n GROUP BY n",
        )
        databases.sql(db, "SELECT pg_switch_wal()")
        databases.sql(db, "CHECKPOINT")


def _start_from(room: Room, volume: str) -> tuple[bool, str]:
    container = room.client.containers.run(
        databases.IMAGE,
        name=room.unique("pg-from-copy"),
        detach=True,
        environment={"POSTGRES_PASSWORD": "unused-the-volume-has-a-database"},
        mounts=[Mount(databases.DATA_FOLDER, volume, type="volume")],
    )
    try:
        # The stream ends when the server gives up, so nothing has to be polled.
        lines: list[str] = []
        for line in container.logs(stream=True, follow=True):
            lines.append(line.decode(errors="replace").strip())
            if "database system is ready to accept connections" in lines[-1]:
                return True, ""
        reason = next((line for line in lines if "PANIC" in line or "FATAL" in line), lines[-1] if lines else "")
        return False, reason
    finally:
        container.remove(force=True, v=True)


def _rows_in(dumped: str) -> int:
    lines = iter(dumped.splitlines())
    for line in lines:
        if line.startswith("COPY "):
            break
    count = 0
    for line in lines:
        if line == "\\.":
            break
        count += 1
    return count
