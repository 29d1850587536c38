"""`import docker_tutor` ÷ `import docker`, each in a fresh interpreter."""

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.rows import Row, side_by_side

RUNS = 15


def rows() -> Iterator[Row]:
    """Measure; needs no engine."""
    yield side_by_side(
        "import docker_tutor ÷ import docker", lambda: _seconds("docker"), lambda: _seconds("docker_tutor"),
        runs=RUNS, at_most=2,
    )  # fmt: skip
    first_cell = "docker_tutor; from docker_tutor import open_room, predict, check, plots"
    yield side_by_side(
        "a notebook's first imports ÷ import docker",
        lambda: _seconds("docker"),
        lambda: _seconds(first_cell),
        runs=RUNS,
    )


def _seconds(module: str) -> float:
    look = f"import time; began = time.perf_counter(); import {module}; print(time.perf_counter() - began)"
    return float(subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout)
