"""The control group of a grader's cells goes with the grader."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

GRADES = """
import os, sys
from pathlib import Path
from docker_tutor.grading.kernel import Kernel
folder = Path(sys.argv[1])
kernel = Kernel(folder, dict(os.environ), folder, apart=())
print(kernel.run("print(6 * 7)", 30).text.strip(), os.getpid())
kernel.close()
"""


def run(program: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-c", program, str(folder)]
    return subprocess.run(words, capture_output=True, text=True, check=False, env=os.environ)


def groups(pid: str) -> list[Path]:
    root = Path("/sys/fs/cgroup")
    return [*root.glob(f"docker-tutor-cells-{pid}"), *root.glob(f"*/docker-tutor-cells-{pid}")]


def test_the_group_of_a_grader_that_was_killed_goes_when_the_next_one_starts(tmp_path: Path) -> None:
    killed = GRADES.replace("kernel.close()", "sys.stdout.flush(); os.kill(os.getpid(), 9)")
    done = [run(program, tmp_path) for program in (killed, GRADES)]
    assert done[0].returncode == -9
    assert done[1].returncode == 0, done[1].stderr
    assert groups(done[0].stdout.split()[1]) == []


def test_nothing_of_the_group_is_left_when_the_grader_has_ended(tmp_path: Path) -> None:
    done = run(GRADES, tmp_path)
    if done.returncode:
        pytest.fail(done.stderr)
    answer, pid = done.stdout.split()
    assert answer == "42"
    assert groups(pid) == []
