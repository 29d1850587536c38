"""One set of files seen three ways: in the image, in the container's writable layer, and in the whole."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.topics import builds
from docker_tutor.topics.layers_archive import save

__all__ = ["Entry", "View", "read_view"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One path, as it is in the image, in the writable layer, and in what the container sees."""

    path: str
    lower: str
    """Content in the image, empty if it is not there."""
    upper: str
    """Content in the writable layer; `whiteout` or `opaque` for what hides; empty if it is not there."""
    merged: str
    """Content that the container sees, empty if there is none."""
    diff: str
    """The letter that `docker diff` gives: A, C or D, empty if the path is not in it."""


@dataclass(frozen=True, slots=True)
class View:
    """A few files, layer by layer."""

    entries: tuple[Entry, ...]
    devices: tuple[str, ...]
    """Paths that are character devices 0:0 in the upper directory; empty where it cannot be read from here."""
    committed: tuple[str, ...]
    """Names with `.wh.` in the layer that `docker commit` made: the same removals, as they travel."""

    def entry(self, path: str) -> Entry:
        """Return one path's entry. Raises KeyError."""
        for entry in self.entries:
            if entry.path == path:
                return entry
        raise KeyError(path)

    def to_frame(self) -> pd.DataFrame:
        """One row for each path."""
        return pd.DataFrame(
            {"path": e.path, "lower": e.lower, "upper": e.upper, "merged": e.merged, "docker diff": e.diff}
            for e in self.entries
        )


def read_view(room: Room, base: str, *, upper_of: Callable[[str], Path]) -> View:
    """Do what `overlay.view` says; `upper_of` finds a container's upper directory."""
    with _container_with_changes(room, base) as (name, image):
        diff = {line[2:]: line[0] for line in room.cli("diff", name).stdout.splitlines()}
        lower = _contents(room, "run", "--rm", image)
        merged = _contents(room, "exec", name)
        upper_folder = upper_of(name)
        readable = upper_folder.is_dir()
        upper = _upper(upper_folder) if readable else _guess(diff, merged)
        devices = tuple(sorted(path for path, what in upper.items() if what == "whiteout")) if readable else ()
        tag = room.unique("view-committed")
        try:
            room.cli("commit", name, tag)
            top = save(room, tag)[0][-1]
        finally:
            room.cli("image", "rm", "--force", tag, check=False)
    paths = sorted({path for path in (*lower, *merged, *upper) if path.startswith("/files")} - {"/files"})
    entries = tuple(
        Entry(path, lower.get(path, ""), upper.get(path, ""), merged.get(path, ""), diff.get(path, ""))
        for path in paths
    )
    removed = tuple(change.path for change in top.changes if change.kind == "removed")
    return View(entries, devices, removed)


@contextmanager
def _container_with_changes(room: Room, base: str) -> Iterator[tuple[str, str]]:
    name, image = room.unique("view"), room.unique("view-image")
    folder = room.folder / name
    files = {"kept": "kept", "changed": "old", "removed": "gone", "folder/inside": "hidden"}
    builds.write_context(folder, {f"files/{path}": text for path, text in files.items()})
    builds.build(room, folder, tag=image, dockerfile=f"FROM {base}\nCOPY files /files\n")
    acts = (
        "cd /files && echo -n new > changed && echo -n mine > added && rm removed"
        " && rm -r folder && mkdir folder && echo -n fresh > folder/added"
    )
    try:
        room.cli("run", "--detach", "--name", name, image, "sleep", "600")
        room.cli("exec", name, "sh", "-c", acts)
        yield name, image
    finally:
        room.cli("rm", "--force", name, check=False)
        room.cli("image", "rm", "--force", image, check=False)


def _contents(room: Room, *how: str) -> dict[str, str]:
    """Read every file below /files: path → content."""
    shell = 'find /files -type f | while read -r path; do echo "$path=$(cat "$path")"; done'
    lines = room.cli(*how, "sh", "-c", shell).stdout.splitlines()
    return dict(line.split("=", 1) for line in lines)


def _upper(folder: Path) -> dict[str, str]:
    """Read the upper directory from here: files with their content, and what hides."""
    found = {}
    for path in sorted((folder / "files").rglob("*")):
        inside = f"/{path.relative_to(folder)}"
        status = path.lstat()
        if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
            found[inside] = "whiteout"
        elif path.is_dir() and _opaque(path):
            found[inside] = "opaque"
        elif path.is_file():
            found[inside] = path.read_text()
    return found


def _opaque(path: Path) -> bool:
    names = os.listxattr(path)
    return any(name.endswith("overlay.opaque") and os.getxattr(path, name) == b"y" for name in names)


def _guess(diff: dict[str, str], merged: dict[str, str]) -> dict[str, str]:
    """Say what the upper directory holds where it cannot be read: what `docker diff` implies."""
    return {path: "whiteout" if kind == "D" else merged.get(path, "") for path, kind in diff.items()}
