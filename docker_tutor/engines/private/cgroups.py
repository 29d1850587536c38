"""The cgroup below which all of an engine's containers live: find their processes, end them, remove it.

Version 1 has one tree for each controller, version 2 a single one; a machine may have both mounted.
Source: `man 7 cgroups`.
"""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

from docker_tutor.processes import Process

__all__ = ["processes", "remove", "thaw", "trees"]

ATTEMPTS = 60
PAUSE_S = 0.05


def trees(parent: str) -> list[Path]:
    """Return the folders of the cgroup `parent` (`/docker-tutor-…`) in every mounted tree."""
    with Path("/proc/self/mountinfo").open(encoding="utf-8") as table:
        mounts = [line.split(" ") for line in table]
    points = [Path(m[4]) for m in mounts if m[m.index("-") + 1] in {"cgroup", "cgroup2"}]
    return [folder for point in points if (folder := point / parent.lstrip("/")).is_dir()]


def processes(parent: str) -> set[Process]:
    """Return every process below `parent`."""
    found: set[Process] = set()
    for folder in _folders(parent):
        try:
            pids = (folder / "cgroup.procs").read_text(encoding="ascii").split()
        except OSError:
            continue  # it went away while we were looking
        found.update(process for pid in pids if (process := Process.of(int(pid))))
    return found


def thaw(parent: str) -> None:
    """Let paused containers go on: a frozen process of version 1 takes no signal, not even SIGKILL."""
    for folder in _folders(parent):
        for file, word in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
            if (folder / file).exists():
                (folder / file).write_text(word, encoding="ascii")


def remove(parent: str) -> list[Path]:
    """Remove the empty cgroups from the leaves up and return what would not go.

    A cgroup is busy for a moment after its last process has been killed, and the kernel does not tell when it no
    longer is (version 1 has no event for it): so it is asked again, for a short time.
    """
    pause = threading.Event()
    for _attempt in range(ATTEMPTS):
        for folder in _folders(parent):
            try:
                folder.rmdir()
            except OSError:
                continue  # reported by what is returned
        if not trees(parent):
            break
        pause.wait(PAUSE_S)
    return trees(parent)


def _folders(parent: str) -> Iterator[Path]:
    for tree in trees(parent):
        for folder, _folders, _files in os.walk(tree, topdown=False):
            yield Path(folder)
