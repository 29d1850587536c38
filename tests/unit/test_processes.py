"""Processes are ended and awaited without ever touching another one."""

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from docker_tutor.processes import Process, kill_all, running


@pytest.fixture
def child() -> Iterator[Process]:
    with subprocess.Popen(["sleep", "600"]) as process:
        found = Process.of(process.pid)
        assert found is not None
        yield found
        process.kill()


def test_the_end_of_a_process_is_awaited(child: Process) -> None:
    assert child.end(signal.SIGTERM, 5)
    assert not child.alive


def test_a_process_that_stays_is_reported_in_time(child: Process) -> None:
    assert not child.end(signal.SIGCONT, 0)
    assert child.alive


def test_a_process_of_another_start_time_is_left_alone(child: Process) -> None:
    stranger = Process(child.pid, child.started_ticks + 1)
    assert stranger.end(signal.SIGKILL, 1)
    assert child.alive


def test_all_are_killed_together(child: Process) -> None:
    assert kill_all([child], 5) == []
    assert not child.alive


def test_a_process_that_is_not_there_is_none() -> None:
    assert Process.of(2**22 + 1) is None


def test_a_zombie_is_none() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert Process.of(pid) is None
    os.waitpid(pid, 0)


def test_this_process_is_seen_among_all() -> None:
    assert Process.of(os.getpid()) in set(running())
