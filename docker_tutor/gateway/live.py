"""Which scopes are alive: one file each in the runtime folder, locked for as long as its gateway runs.

The lock goes with the process, however it ends, so that a process id that is used again misleads nobody.
"""

import fcntl
import getpass
import hashlib
import json
import os
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

__all__ = ["Registration", "live_folder", "owner", "register", "registrations"]


@dataclass(frozen=True, slots=True)
class Registration:
    """One gateway's entry: where it listens and what it looks after."""

    scope: str
    pid: int
    started_s: float
    """Seconds since the epoch."""
    upstream: str
    folder: str
    """The scope's folder: socket, calls, ledger, log."""
    owner: str
    disposable: bool
    alive: bool = True
    """Whether its gateway still runs."""


def owner() -> str:
    """Return a short text for this user and checkout on this machine: the value of the OWNER label."""
    from docker_tutor import paths

    return hashlib.sha256(f"{platform.node()}\0{_user()}\0{paths.instance()}".encode()).hexdigest()[:12]


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a number without a name, as in many a container
        return str(os.getuid())


def live_folder() -> Path:
    """Return the folder of the registrations of this user and checkout."""
    from docker_tutor import paths

    folder = paths.runtime_folder() / "gateways"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def register(file: Path, registration: Registration) -> TextIO:
    """Write a registration and lock it; keep the file open for as long as it shall count.

    Raises BlockingIOError when a living gateway has that scope.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    stream = os.fdopen(descriptor, "r+", encoding="utf-8")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        stream.close()
        raise
    stream.truncate(0)
    json.dump(asdict(registration), stream)
    stream.flush()
    return stream


def registrations(folder: Path | None = None) -> Iterator[Registration]:
    """Read all registrations, each with whether its gateway still runs."""
    for file in sorted((live_folder() if folder is None else folder).glob("*.json")):
        with file.open(encoding="utf-8") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
                alive = False
            except BlockingIOError:
                alive = True
            try:
                entry = json.load(stream)
            except ValueError:
                continue  # a gateway is writing it at this moment, or was killed while it did: nothing is known yet
        yield Registration(**{**entry, "alive": alive})
