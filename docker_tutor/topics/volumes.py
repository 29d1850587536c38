"""Where a container can keep data, and what becomes of it: layer, named volume, bind mount, tmpfs.

Sources: Docker's storage documentation; `man 5 tmpfs`; `man 8 mount` (bind mounts).
"""

import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from docker.models.containers import Container
from docker.types import Mount

from docker_tutor.classroom.room import Room
from docker_tutor.errors import CapabilityMissing
from docker_tutor.i18n import _
from docker_tutor.topics.places import FOLDERS, IMAGE, PLACES, mounted, shell, sleeper
from docker_tutor.units import MiB

__all__ = [
    "LiveEdit",
    "Prefill",
    "Survival",
    "SurvivalRow",
    "TmpfsLimit",
    "live_edit",
    "prefill",
    "survival",
    "tmpfs_limit",
]


@dataclass(frozen=True, slots=True)
class SurvivalRow:
    """What became of one file, written in one place."""

    place: str
    after_stop_and_start: bool
    after_engine_restart: bool | None
    """Whether it is there when dockerd and then the container were started again; None where it was not tried."""
    after_removal: bool
    """Whether a new container with the same mounts still has the file."""
    file_system: str
    """The type of the file system that holds the place, as the kernel names it inside the container."""


@dataclass(frozen=True, slots=True)
class Survival:
    """The same file in all four places, through the life of two containers and of an engine."""

    rows: tuple[SurvivalRow, ...]
    not_restarted: str = ""
    """Why no engine was restarted; empty when one was."""

    def row(self, place: str) -> SurvivalRow:
        """Return what became of the file in `place`."""
        return next(row for row in self.rows if row.place == place)

    def to_frame(self) -> pd.DataFrame:
        """Return one line per place."""
        words = {True: _("there"), False: _("gone"), None: _("not tried")}
        columns = [_("place"), _("file system"), _("stop and start"), _("engine restarted"), _("new container")]
        data = [
            (
                row.place,
                row.file_system,
                words[row.after_stop_and_start],
                words[row.after_engine_restart],
                words[row.after_removal],
            )
            for row in self.rows
        ]
        return pd.DataFrame(data, columns=columns)


@dataclass(frozen=True, slots=True)
class LiveEdit:
    """A file edited on this side of a bind mount, read on the other."""

    inside_before: str
    inside_after: str
    outside_after_append: str
    """What this side reads once the container has added a line of its own."""


@dataclass(frozen=True, slots=True)
class Prefill:
    """What an empty named volume and an empty bind mount show where the image has files."""

    image_files: tuple[str, ...]
    volume_files: tuple[str, ...]
    bind_files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TmpfsLimit:
    """A tmpfs filled until the kernel refused."""

    limit_bytes: int | None
    """The limit the kernel has in force, from the file system's own size; None when it has none of ours."""
    written_bytes: int
    message: str
    """What the writer was told."""


def _has_file(container: Container, place: str) -> bool:
    return shell(container, f"test -f {FOLDERS[place]}/note && echo yes || echo no") == "yes"


def survival(room: Room) -> Survival:
    """Write one file in each place, stop and start the container, then replace it; restart an engine under another.

    Raises CommandFailed when a file cannot be written.
    """
    with mounted(room) as mounts:
        first = sleeper(room, "first", mounts)
        try:
            _write_everywhere(first)
            kinds = {place: _file_system(first, folder) for place, folder in FOLDERS.items()}
            first.stop(timeout=1)
            first.start()
            restarted = {place: _has_file(first, place) for place in PLACES}
        finally:
            first.remove(force=True)
        second = sleeper(room, "second", mounts)
        try:
            replaced = {place: _has_file(second, place) for place in PLACES}
        finally:
            second.remove(force=True)
    engine, why_not = _engine_restart(room)
    rows = (SurvivalRow(p, restarted[p], engine.get(p), replaced[p], kinds[p]) for p in PLACES)
    return Survival(tuple(rows), why_not)


def _write_everywhere(container: Container) -> None:
    folders = " ".join(FOLDERS.values())
    shell(container, f"mkdir -p {folders} && for folder in {folders}; do echo kept > $folder/note; done")


def _engine_restart(room: Room) -> tuple[dict[str, bool], str]:
    """Tell what is there after dockerd was asked to end and was started again, or why that cannot be tried here."""
    try:
        other = room.spare("kept", images=[IMAGE])
    except CapabilityMissing as missing:
        return {}, str(missing)
    with other, mounted(other) as mounts:
        name = str(sleeper(other, "kept", mounts).name)
        _write_everywhere(other.client.containers.get(name))
        other.engine.kill_daemon(signal.SIGTERM)
        other.engine.start_daemon()
        container = other.client.containers.get(name)
        container.start()
        found = {place: _has_file(container, place) for place in PLACES}
        container.remove(force=True)
    return found, ""


def _file_system(container: Container, folder: str) -> str:
    # Field 3 of /proc/mounts is the type; the longest mount point that is a prefix of the folder holds it.
    mounts = [line.split() for line in shell(container, "cat /proc/mounts").splitlines()]
    holding = [m for m in mounts if folder == m[1] or folder.startswith(m[1].rstrip("/") + "/")]
    return max(holding, key=lambda m: len(m[1]))[2]


def live_edit(room: Room) -> LiveEdit:
    """Edit a file on this side of a bind mount while a container has it open on the other side."""
    with tempfile.TemporaryDirectory(dir=room.folder) as folder:
        page = Path(folder) / "page.txt"
        page.write_text("first draft\n")
        container = sleeper(room, "editor", [Mount("/site", folder, type="bind")])
        try:
            before = shell(container, "cat /site/page.txt")
            page.write_text("second draft\n")
            after = shell(container, "cat /site/page.txt")
            shell(container, "echo 'a line from inside' >> /site/page.txt")
            return LiveEdit(before, after, page.read_text())
        finally:
            container.remove(force=True)


def prefill(room: Room, image: str = "nginx", folder: str = "/usr/share/nginx/html") -> Prefill:
    """Mount an empty named volume, then an empty host folder, over a folder in which the image has files."""

    def listing(*mounts: Mount) -> tuple[str, ...]:
        output = room.client.containers.run(
            image, ["ls", "-1", folder], remove=True, mounts=list(mounts), entrypoint="", network_mode="none"
        )
        return tuple(bytes(output).decode().split())

    volume = room.client.volumes.create(room.unique("prefill"))
    try:
        with tempfile.TemporaryDirectory(dir=room.folder) as empty:
            return Prefill(
                image_files=listing(),
                volume_files=listing(Mount(folder, volume.name, type="volume")),
                bind_files=listing(Mount(folder, empty, type="bind")),
            )
    finally:
        volume.remove(force=True)


def tmpfs_limit(room: Room, limit_bytes: int = 8 * MiB) -> TmpfsLimit:
    """Fill a tmpfs of `limit_bytes` until the kernel refuses, writing at most four times as much."""
    attempts_mib = 4 * limit_bytes // MiB
    script = (
        f"dd if=/dev/zero of=/cache/fill bs=1M count={attempts_mib} 2>/tmp/said; "
        "stat -c %s /cache/fill; df -k /cache | tail -n 1; cat /tmp/said"
    )
    mount = Mount("/cache", None, type="tmpfs", tmpfs_size=limit_bytes)
    container = sleeper(room, "tmpfs", [mount])
    try:
        written, df, *said = shell(container, script).splitlines()
    finally:
        container.remove(force=True)
    size_bytes = int(df.split()[1]) * 1024
    refusal = next((line for line in said if "space" in line.lower()), "")
    return TmpfsLimit(size_bytes if size_bytes <= attempts_mib * MiB else None, int(written), refusal)
