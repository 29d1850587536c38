"""Where a container can keep data, and what becomes of it: layer, named volume, bind mount, tmpfs.

Sources: Docker's storage documentation; `man 5 tmpfs`; `man 8 mount` (bind mounts).
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from docker.models.containers import Container
from docker.types import Mount

from docker_tutor.classroom.room import Room
from docker_tutor.topics.places import FOLDERS, PLACES, mounted, shell, sleeper
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
    after_removal: bool
    """Whether a new container with the same mounts still has the file."""
    file_system: str
    """The type of the file system that holds the place, as the kernel names it inside the container."""


@dataclass(frozen=True, slots=True)
class Survival:
    """The same file in all four places, through the life of two containers."""

    rows: tuple[SurvivalRow, ...]

    def row(self, place: str) -> SurvivalRow:
        """Return what became of the file in `place`."""
        return next(row for row in self.rows if row.place == place)

    def to_frame(self) -> pd.DataFrame:
        """Return one line per place."""
        columns = ["place", "file system", "after stop and start", "after removal"]
        data = [(r.place, r.file_system, r.after_stop_and_start, r.after_removal) for r in self.rows]
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
    """Write one file in each place, stop and start the container, then replace the container.

    Raises CommandFailed when a file cannot be written.
    """
    with mounted(room) as mounts:
        first = sleeper(room, "first", mounts)
        try:
            for folder in FOLDERS.values():
                shell(first, f"mkdir -p {folder} && echo kept > {folder}/note")
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
    return Survival(tuple(SurvivalRow(p, restarted[p], replaced[p], kinds[p]) for p in PLACES))


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
