"""Room on a disk: how much there is, and one sentence that names the folder and what is missing when it is too little.

Source: `man 3 errno` (ENOSPC, EDQUOT), `man 3 statvfs` (f_bavail: what is free for those who are not root).
"""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from docker_tutor.errors import DiskFull, EngineStartFailed
from docker_tutor.i18n import _
from docker_tutor.units import MiB, human_bytes

__all__ = ["SCARCE_BYTES", "free_bytes", "require", "told"]

SCARCE_BYTES = 16 * MiB
"""Where less than this is free, something that did not work has most likely found no room."""
FULL = (errno.ENOSPC, errno.EDQUOT)


def free_bytes(folder: Path) -> int:
    """Return how many bytes may still be written to `folder`, which need not be there yet. Raises `OSError`."""
    return shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free


def require(folder: Path, needed_bytes: int, sentence: str) -> None:
    """Raise `DiskFull` with `sentence` unless `needed_bytes` are free in `folder`.

    It has places for the `folder`, and for what it `needs`, what is `free` and what is `missing`, in units.
    """
    free = free_bytes(folder)
    if free < needed_bytes:
        raise DiskFull(
            sentence.format(
                folder=folder,
                needs=human_bytes(needed_bytes),
                free=human_bytes(free),
                missing=human_bytes(max(needed_bytes - free, MiB)),
            )
        )


@contextmanager
def told(*folders: Path) -> Iterator[None]:
    """Turn an error that says a disk is full into a `DiskFull` that names one of `folders`, for a `with` block.

    An engine that did not start because one of them is full says so nowhere: its log lies there.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise _full(_fullest(folders)) from error
    except EngineStartFailed as error:
        if free_bytes(folder := _fullest(folders)) >= SCARCE_BYTES:
            raise
        raise _full(folder) from error


def _fullest(folders: tuple[Path, ...]) -> Path:
    return min(folders, key=free_bytes)


def _full(folder: Path) -> DiskFull:
    missing = human_bytes(max(SCARCE_BYTES - free_bytes(folder), MiB))
    return DiskFull(
        _("The disk is full: make room for at least {missing} in {folder} and try again.").format(
            missing=missing, folder=folder
        )
    )
