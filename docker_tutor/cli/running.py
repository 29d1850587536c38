"""Which `start` is running: written down for `stop` in another terminal, owner-only."""

import json
import os
import select
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from docker_tutor import paths

__all__ = ["Course", "forget", "process", "read", "wait_for_end", "write"]


@dataclass(frozen=True, slots=True)
class Course:
    """An open course: the process of `start`, that of JupyterLab (0 before it runs), and the address."""

    pid: int
    lab_pid: int = 0
    url: str = ""
    pid_born: float = 0
    lab_born: float = 0


def write(course: Course) -> None:
    """Write `course` down, with its processes' times of birth, so that a reused pid is not taken for them."""
    known = asdict(course) | {"pid_born": _born(course.pid), "lab_born": _born(course.lab_pid)}
    text = json.dumps(known, indent=1)
    path = _path()
    new = path.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)


def read() -> Course | None:
    """Return the course that was written down and of which a process is still alive, else None."""
    try:
        known = Course(**json.loads(_path().read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    alive = process(known.pid, known.pid_born) or process(known.lab_pid, known.lab_born)
    return known if alive else None


def forget() -> None:
    """Remove what was written down."""
    _path().unlink(missing_ok=True)


def process(pid: int, born: float) -> psutil.Process | None:
    """Return the process `pid` if it is the one that was born then (seconds since the epoch), else None."""
    try:
        found = psutil.Process(pid) if pid else None
        return found if found and found.is_running() and abs(found.create_time() - born) < 1 else None
    except psutil.Error:
        return None


def wait_for_end(process: psutil.Process, within_s: float) -> None:
    """Return once `process` has ended, whether or not its parent has taken note. Raises psutil.TimeoutExpired."""
    if not hasattr(os, "pidfd_open"):
        process.wait(within_s)  # not Linux
        return
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        ended, _writable, _failed = select.select([descriptor], [], [], within_s)
    finally:
        os.close(descriptor)
    if not ended:
        raise psutil.TimeoutExpired(within_s, process.pid)


def _born(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time() if pid else 0
    except psutil.Error:
        return 0


def _path() -> Path:
    return paths.runtime_folder() / "course.json"
