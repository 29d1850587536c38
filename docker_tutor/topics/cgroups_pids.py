"""Processes: a program that forks until the kernel refuses."""

import json
from dataclasses import dataclass

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.errors import CommandFailed
from docker_tutor.i18n import _
from docker_tutor.topics import _cgroupfs
from docker_tutor.topics.cgroups_observer import kept

__all__ = ["Fork", "PidsRun", "pids_limit"]

_FORK = """
import errno, json, os, signal, sys
from pathlib import Path
folders = (Path("/sys/fs/cgroup/pids"), Path("/sys/fs/cgroup"))
folder = next(one for one in folders if (one / "pids.max").exists())
attempts, children = [], []
for attempt in range(int(sys.argv[1])):
    try:
        child = os.fork()
    except OSError as refusal:
        attempts.append([int((folder / "pids.current").read_text()), errno.errorcode[refusal.errno]])
        continue
    if child == 0:
        signal.pause()
    children.append(child)
    attempts.append([int((folder / "pids.current").read_text()), ""])
told = {"attempts": attempts, "limit": (folder / "pids.max").read_text(), "file": str(folder / "pids.max")}
told["events"] = (folder / "pids.events").read_text()
for child in children:
    os.kill(child, signal.SIGKILL)
print(json.dumps(told))
"""


@dataclass(frozen=True, slots=True)
class Fork:
    """One attempt to start another process."""

    attempt: int
    """Counted from 1."""
    processes: int
    """`pids.current` after it."""
    refusal: str
    """The error's name, such as EAGAIN; empty when the kernel allowed it."""


@dataclass(frozen=True, slots=True)
class PidsRun:
    """A program that tried to start many processes."""

    limit: int | None
    """`pids.max` read back inside; None: no limit in force."""
    limit_file: str
    """Where it was read, as the container names it."""
    refused_by_kernel: int
    """The kernel's own count of refusals: `max` in `pids.events`."""
    forks: tuple[Fork, ...]

    @property
    def most_processes(self) -> int:
        """The highest `pids.current` seen."""
        return max((fork.processes for fork in self.forks), default=0)

    @property
    def refusals(self) -> int:
        """Attempts that ended in an error, as the program saw it."""
        return sum(bool(fork.refusal) for fork in self.forks)

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each attempt."""
        rows = [(fork.attempt, fork.processes, fork.refusal or _("started")) for fork in self.forks]
        return pd.DataFrame(rows, columns=[_("attempt"), _("processes in the container"), _("outcome")])


def pids_limit(room: Room, *, limit: int, attempts: int) -> PidsRun:
    """Run a program under `--pids-limit` that tries to start `attempts` processes, which all stay.

    Raises CommandFailed when the program could not report: below a limit of about 3 nothing starts at all;
    CapabilityMissing where the engine would ignore the limit.
    Source: Documentation/admin-guide/cgroup-v1/pids.rst in the kernel; `man 2 fork` for EAGAIN.
    """
    room.require("limits")
    with kept(room, "forks", _FORK, str(attempts), pids_limit=limit) as forker:
        forker.start()
        code = int(forker.wait(timeout=30 * room.engine.slowness)["StatusCode"])
        if code:
            why = forker.logs(stdout=False).decode(errors="replace").strip().rpartition("\n")[2]
            raise CommandFailed(
                _("The program that forks ended with exit code {code}: {why}").format(code=code, why=why)
            )
        told = json.loads(forker.logs(stderr=False))
    forks = tuple(Fork(place, count, refusal) for place, (count, refusal) in enumerate(told["attempts"], 1))
    refused = _cgroupfs.flat(told["events"]).get("max", 0)
    return PidsRun(_cgroupfs.number("pids.limit", told["limit"]), told["file"], refused, forks)
