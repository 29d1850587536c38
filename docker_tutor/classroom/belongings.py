"""Where the course keeps its own things: three folders of the user and one of the room, with their sizes."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from docker_tutor import paths
from docker_tutor.classroom import tables
from docker_tutor.i18n import _
from docker_tutor.units import human_bytes

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Belonging", "Belongings", "belongings"]


@dataclass(frozen=True, slots=True)
class Belonging:
    """One folder, what is in it and how it goes."""

    what: str
    folder: Path
    size_bytes: int
    goes: str
    """When it goes, or the command that removes it."""


@dataclass(frozen=True, slots=True)
class Belongings:
    """All folders that the course uses on this machine."""

    rows: tuple[Belonging, ...]

    def folders(self) -> tuple[Path, ...]:
        """Return the folders alone."""
        return tuple(row.folder for row in self.rows)

    def to_frame(self) -> "pd.DataFrame":
        """Return the table for a reader; sizes as on the disk."""
        import pandas as pd

        return pd.DataFrame(self._rows(), columns=self._headings())

    def _rows(self) -> list[tuple[str, ...]]:
        return [(row.what, str(row.folder), human_bytes(row.size_bytes), row.goes) for row in self.rows]

    def _headings(self) -> list[str]:
        return [_("what"), _("where"), _("size"), _("goes")]

    def _repr_mimebundle_(self, **_wanted: object) -> dict[str, str]:
        rows, headings = self._rows(), self._headings()
        return {"text/html": tables.page(rows, headings), "text/plain": tables.text(rows, headings)}


def belongings(room_folder: Path) -> Belongings:
    """Look up the course's folders and how much each holds, in bytes on the disk."""
    places = (
        (_("this room's files"), room_folder, _("with the room")),
        (_("sockets, state"), paths.runtime_folder(), _("with `docker-tutor engine down`")),
        (_("the engine's data, your progress"), paths.data_folder(), _("with `docker-tutor engine down --purge`")),
        (_("downloaded programs"), paths.cache_folder(), _("when you delete the folder")),
    )
    return Belongings(tuple(Belonging(what, folder, _size(folder), goes) for what, folder, goes in places))


def _size(folder: Path) -> int:
    """Add up the blocks of a folder's files, without following links or entering other file systems."""
    total = 0
    device = folder.stat().st_dev
    seen: set[int] = set()
    for parent, folders, files in os.walk(folder):
        kept = []
        for name in folders:
            status = _status(Path(parent, name))
            if status is not None and status.st_dev == device:
                kept.append(name)
        folders[:] = kept
        for name in files:
            status = _status(Path(parent, name))
            if status is not None and status.st_ino not in seen:
                seen.add(status.st_ino)  # a file with two names is on the disk once
                total += status.st_blocks * 512
    return total


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except OSError:
        return None  # it went while we looked, or is not ours to see
