"""A folder of the cache that is made once out of Debian's packages: under its name it is whole, or it is not there."""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from filelock import FileLock

from docker_tutor.engines import room
from docker_tutor.engines.packages import Archive, unpack
from docker_tutor.i18n import _
from docker_tutor.paths import cache_folder
from docker_tutor.progress import Report

__all__ = ["Made", "Workshop"]

STAMP = "stamp.json"
UNUSED_DAYS = 14
"""What has not been asked for in so long is of an older version of the packages or of the course, and goes."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was made."""

    folder: Path

    @property
    def versions(self) -> dict[str, str]:
        """The packages that it was made of, and their versions."""
        return {name: str(version) for name, version in self._stamp()["packages"].items()}

    @property
    def whole(self) -> bool:
        """Whether the files have the sizes they were made with."""
        try:
            return all((self.folder / name).stat().st_size == size for name, size in self._stamp()["sizes"].items())
        except (OSError, ValueError, KeyError):
            return False

    def _stamp(self) -> dict[str, dict[str, object]]:
        stamp: dict[str, dict[str, object]] = json.loads((self.folder / STAMP).read_text(encoding="utf-8"))
        return stamp


T = TypeVar("T", bound=Made)


@dataclass(frozen=True, slots=True)
class Workshop(Generic[T]):
    """Where one kind of folder is made, and of what."""

    kind: type[T]
    name: str
    """The folder of the cache that holds them all."""
    version: str
    """Raised when the same packages are made into something else."""
    packages: Sequence[str]
    unpacked_bytes: int
    """The room that making takes."""

    @property
    def home(self) -> Path:
        """The folder that holds them all."""
        return cache_folder() / self.name

    def found(self, suite: str | None) -> T | None:
        """Return the newest that is here and whole for `suite` (else the setting's); None if there is none."""
        stamps = self.home.glob(f"{Archive(suite).suite}-{self.version}-*/{STAMP}")
        made = [self.kind(stamp.parent) for stamp in sorted(stamps, key=lambda s: s.stat().st_mtime_ns, reverse=True)]
        return next((each for each in made if each.whole), None)

    def ensure(self, finish: Callable[[Path, Path], None], report: Report, suite: str | None) -> T:
        """Return what is here, or let `finish` make it: from the unpacked packages, into the folder beside them.

        Raises a `PackageError`, `DiskFull`, and whatever `finish` does.
        """
        archive = Archive(suite)
        with room.told(cache_folder()):
            self.home.mkdir(exist_ok=True)
        with FileLock(self.home / "in-use.lock"), room.told(self.home):
            if here := self.found(suite):
                with contextlib.suppress(OSError):  # somebody else's, or a read-only cache
                    os.utime(here.folder / STAMP)
                return here
            debs = archive.fetch(self.packages, report)
            name = hashlib.sha256("\n".join(deb.name for deb in debs).encode()).hexdigest()[:12]
            folder = self.home / f"{archive.suite}-{self.version}-{name}"
            self._make(folder, debs, finish, report)
            self._prune()
            return self.kind(folder)

    def _prune(self) -> None:
        """Remove what has not been used for long. A guest that runs on it has its files open, and keeps them."""
        latest = time.time() - UNUSED_DAYS * 24 * 3600
        for stamp in self.home.glob(f"*/{STAMP}"):
            if stamp.stat().st_mtime < latest:
                shutil.rmtree(stamp.parent)

    def _make(self, folder: Path, debs: Sequence[Path], finish: Callable[[Path, Path], None], report: Report) -> None:
        for abandoned in self.home.glob(".making-*"):
            shutil.rmtree(abandoned)  # of a process that was killed: we hold the lock, so nobody is at it
        room.require(
            self.home,
            self.unpacked_bytes,
            _(
                "Making a virtual machine ready needs {needs} in {folder}, and {free} are free: make room for "
                "{missing} more there."
            ),
        )
        making = Path(tempfile.mkdtemp(prefix=".making-", dir=self.home))
        try:
            making.chmod(0o755)
            root = making / "root"
            unpack(debs, root, report)
            finish(root, making)
            shutil.rmtree(root)
            sizes = {str(p.relative_to(making)): p.stat().st_size for p in making.rglob("*") if p.is_file()}
            packages = dict(deb.name.removesuffix(".deb").split("_")[:2] for deb in debs)
            (making / STAMP).write_text(json.dumps({"packages": packages, "sizes": sizes}, indent=1), encoding="utf-8")
            if folder.exists():
                shutil.rmtree(folder)
            making.rename(folder)
        finally:
            shutil.rmtree(making, ignore_errors=True)
