"""End the programs of a machine: by the session that each was started in, whatever has become of the first of them.

A session's number is not given to another process as long as one of its own is there (`man 2 setsid`, kernel/pid.c),
and a guest's processes are processes of this machine that may outlive its kernel.
"""

import contextlib
import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

from docker_tutor.engines.private.state import State
from docker_tutor.processes import Process, boot_id, kill_all, running

__all__ = ["PROGRAMS", "adopt_orphans", "end_sessions", "in_sessions", "reap_orphans"]

PROGRAMS = ("machine", "slirp4netns", "share0", "share1", "share2", "share3")
WITHIN_S = 5
ROUNDS = 5
PR_SET_CHILD_SUBREAPER = 36


def in_sessions(state: State) -> Iterator[Process]:
    """Yield what runs in the sessions that `state` names."""
    if state.boot != boot_id():
        return
    # A first process that has ended may have left others; one that began before it was recorded is not ours.
    sessions = {leader.pid: leader.started_ticks for name in PROGRAMS if (leader := state.processes.get(name))}
    for process in running():
        began = sessions.get(_session(process.pid))
        if began is not None and process.started_ticks >= began and _ours(process):
            yield process


def end_sessions(state: State) -> list[Process]:
    """Kill all of them and return what would not go."""
    left: list[Process] = []
    for _round in range(ROUNDS):
        doomed = list(in_sessions(state))
        if not doomed:
            return []
        left = kill_all(doomed, WITHIN_S)
    return left


def adopt_orphans() -> None:
    """Let the machine's orphans come to us (`man 2 prctl`): a sandbox's first program may never look after its own."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans() -> None:
    """Take the exit status of those that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


def _ours(process: Process) -> bool:
    try:
        return Path(f"/proc/{process.pid}").stat().st_uid == os.getuid()
    except OSError:
        return False
