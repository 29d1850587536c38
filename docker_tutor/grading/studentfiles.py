"""A folder that a student writes to, read and written from outside: through no link, whoever puts one there and when.

Each folder on the way is opened by itself, and a link in its place refused (`man 2 openat`, O_NOFOLLOW): what was
looked at before could be another thing by the time it is opened.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

__all__ = ["StudentFiles"]

_LARGEST = 1 << 16
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class StudentFiles:
    """The files below one folder, by relative path."""

    def __init__(self, folder: Path, owner: int | None = None) -> None:
        """Give what is written to `owner`, a user's number; None for whoever writes."""
        self._folder = folder
        self._owner = owner

    def read(self, path: str) -> str | None:
        """Return the first 64 KiB of a file; None when there is no such file, or a link on the way to it."""
        try:
            with self._parent(path) as (folder, name):
                # Not blocking: a pipe in its place would wait for a writer for ever.
                file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except OSError:
            return None
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                return None
            return os.read(file, _LARGEST).decode(errors="replace")
        finally:
            os.close(file)

    def write(self, path: str, text: str) -> None:
        """Write a file, and the folders above it. Raises OSError when a link or another thing is in the way."""
        with self._parent(path, make=True) as (folder, name):
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            file = os.open(name, flags, 0o644, dir_fd=folder)
            with os.fdopen(file, "w", encoding="utf-8") as opened:
                opened.write(text)
                if self._owner is not None:
                    os.fchown(opened.fileno(), self._owner, self._owner)

    @contextmanager
    def _parent(self, path: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """Give the folder that holds `path`, opened, and the name in it."""
        *folders, name = PurePosixPath(path).parts
        if ".." in folders or path.startswith("/"):
            raise OSError(f"not below the folder: {path}")
        here = os.open(self._folder, _FOLDER)
        try:
            for each in folders:
                if make:
                    self._made(here, each)
                below = os.open(each, _FOLDER, dir_fd=here)
                os.close(here)
                here = below
            yield here, name
        finally:
            os.close(here)

    def _made(self, parent: int, name: str) -> None:
        try:
            os.mkdir(name, 0o755, dir_fd=parent)
        except FileExistsError:
            return
        if self._owner is not None:
            os.chown(name, self._owner, self._owner, dir_fd=parent, follow_symlinks=False)
