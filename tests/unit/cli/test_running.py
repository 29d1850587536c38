import os
import stat
import subprocess
import sys

import psutil
import pytest

from docker_tutor import paths
from docker_tutor.cli import running
from docker_tutor.cli.running import Course


def test_what_was_written_is_read_and_only_its_owner_may() -> None:
    running.write(Course(os.getpid(), 0, "http://127.0.0.1:1/lab?token=secret"))
    found = running.read()
    assert found is not None
    assert found.url == "http://127.0.0.1:1/lab?token=secret"
    mode = (paths.runtime_folder() / "course.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_a_course_whose_processes_have_ended_is_not_open() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    running.write(Course(ended.pid))
    ended.wait()
    assert running.read() is None


def test_a_pid_that_is_used_again_is_not_taken_for_the_course() -> None:
    assert running.process(os.getpid(), born=1.0) is None
    assert running.process(os.getpid(), psutil.Process().create_time()) is not None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1, "colour": "red"}'])
def test_a_broken_note_counts_as_none(text: str) -> None:
    (paths.runtime_folder() / "course.json").write_text(text)
    assert running.read() is None


def test_forgetting_twice_is_no_error() -> None:
    running.write(Course(os.getpid()))
    running.forget()
    running.forget()
    assert running.read() is None


def test_waiting_returns_for_a_process_that_nobody_has_reaped() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    running.wait_for_end(psutil.Process(child.pid), within_s=30)
    child.wait()


def test_waiting_gives_up_after_its_time() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        with pytest.raises(psutil.TimeoutExpired):
            running.wait_for_end(psutil.Process(child.pid), within_s=0.01)
        child.kill()
