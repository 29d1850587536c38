"""Processes named by PID *and* start time, so that a PID used again by someone else is never touched.

Ends are awaited on a pidfd (`man 2 pidfd_open`), which works for processes that are not our children.
"""

import os
import select
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Process", "boot_id", "kill_all", "running"]


@dataclass(frozen=True, slots=True)
class Process:
    """A process of this boot."""

    pid: int
    started_ticks: int
    """When it began, in clock ticks since boot (field 22 of `/proc/PID/stat`, `man 5 proc`)."""

    @classmethod
    def of(cls, pid: int) -> "Process | None":
        """Return the process that has `pid` now; None when there is none (a zombie is none)."""
        try:
            # The name in parentheses may hold spaces and parentheses itself.
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] in "ZX" else cls(pid, int(fields[19]))

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return Process.of(self.pid) == self

    def open(self) -> int | None:
        """Return a pidfd of this very process; None when it has ended. The caller closes it."""
        try:
            pidfd = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return None
        # Opened first, compared then: what the descriptor names cannot change any more.
        if self.alive:
            return pidfd
        os.close(pidfd)
        return None

    def end(self, signal_number: int, within_s: float) -> bool:
        """Send a signal and wait for the end; return whether it has ended."""
        pidfd = self.open()
        if pidfd is None:
            self._reap()
            return True
        try:
            signal.pidfd_send_signal(pidfd, signal_number)
            ended = bool(select.select([pidfd], [], [], within_s)[0])
        except ProcessLookupError:
            ended = True
        finally:
            os.close(pidfd)
        if ended:
            self._reap()
        return ended

    def _reap(self) -> None:
        """Take the exit status if it is our own child's, so that no zombie stays while we run on."""
        try:
            os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            return


def boot_id() -> str:
    """Return what tells this boot from every other: PIDs and start times of another mean nothing."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def running() -> Iterable[Process]:
    """Yield every process that can be seen."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (process := Process.of(int(entry.name))):
            yield process


def kill_all(processes: Iterable[Process], within_s: float) -> list[Process]:
    """SIGKILL `processes` together, wait for all of them, and return those that are still there."""
    until = time.monotonic() + within_s
    doomed = list(processes)
    for process in doomed:
        process.end(signal.SIGKILL, 0)
    return [process for process in doomed if not process.end(signal.SIGKILL, max(0.0, until - time.monotonic()))]
