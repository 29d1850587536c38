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


def test_nothing_of_the_group_is_left_when_the_grader_has_ended(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", GRADES, str(tmp_path)], capture_output=True, text=True, check=False, env=os.environ
    )
    if done.returncode:
        pytest.fail(done.stderr)
    answer, pid = done.stdout.split()
    assert answer == "42"
    assert list(Path("/sys/fs/cgroup").glob(f"*/docker-tutor-cells-{pid}")) == []
    assert not Path(f"/sys/fs/cgroup/docker-tutor-cells-{pid}").exists()
