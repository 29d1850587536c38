"""Scopes and their folders: one for the gateway's socket and records, one to work in.

A scope is claimed, given a gateway and, when its kernel has died, cleared away, all under one lock: otherwise
one kernel could take for dead what another is about to open.
"""

import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from docker_tutor import paths
from docker_tutor.gateway import cleanup

__all__ = ["Scope", "abandoned", "alone", "claim", "slug"]


@dataclass(frozen=True, slots=True)
class Scope:
    """A name that nobody else has, and its two folders."""

    name: str
    """For example `01-3f9a`: the chapter, and four hexadecimal digits."""
    folder: Path
    """Owner-only, with a short path: the gateway's socket and records, the command line's configuration."""
    work: Path
    """Where typed commands run. Its last part is the notebook's name, as Compose names a project after it."""

    @property
    def suffix(self) -> str:
        """What makes a name unique to this scope."""
        return self.name.rpartition("-")[2]

    def forget(self) -> None:
        """Remove both folders, as far as they are there."""
        for folder in (self.work.parent, self.folder):
            shutil.rmtree(folder, ignore_errors=True)  # what cannot be removed now is found by `docker-tutor clean`


@contextmanager
def alone() -> Iterator[None]:
    """Keep other processes from claiming or clearing scopes meanwhile."""
    with FileLock(paths.runtime_folder() / "scopes.lock"):
        yield


def claim(notebook: str) -> Scope:
    """Take a scope that nobody has for `notebook`, and make its folders. Call it `alone`."""
    chapter = re.match(r"\d+", notebook)
    start = chapter[0] if chapter else slug(notebook)[:12]
    while True:
        scope = _scope(f"{start}-{secrets.token_hex(2)}", slug(notebook))
        if not scope.folder.exists() and not scope.work.parent.exists():
            scope.folder.mkdir(mode=0o700, parents=True)
            scope.work.mkdir(mode=0o700, parents=True)
            return scope


def abandoned() -> list[Scope]:
    """Return the scopes that have a folder and no living gateway. Call it `alone`."""
    living = {entry.scope for entry in cleanup.live_scopes()}
    names = {folder.name for parent in _parents() if parent.is_dir() for folder in parent.iterdir()}
    return [_scope(name, "") for name in sorted(names - living)]


def slug(name: str) -> str:
    """Make a name fit for a folder and a Compose project: lower case, digits and hyphens."""
    return re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-") or "room"


def _parents() -> tuple[Path, Path]:
    return paths.runtime_folder() / "scopes", paths.data_folder() / "rooms"


def _scope(name: str, notebook: str) -> Scope:
    scopes, rooms = _parents()
    return Scope(name, scopes / name, rooms / name / (notebook or "room"))
