"""The suite in several lanes side by side, each with test engines of its own: most steps wait more than they compute.

Every lane has the same list of steps and carries out those that it claims first, so none is idle while another has work
before it. The other lanes are processes of their own, for a test engine is chosen by variables that belong to a whole
process. What they print is kept in files and shown when the first lane is done; their results come back as data.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

from docker_tutor import paths
from docker_tutor.dev import testengine
from docker_tutor.units import GiB

__all__ = ["NAMES", "Lane", "beside", "claim", "number"]

NAMES = ("a", "b", "c")
"""The first is the suite's own process. More would only wait for each other: on two CPUs, three keep both busy."""
NEEDS_CPUS = 2
LANE_NEEDS_BYTES = 4 * GiB
"""A private engine, and beside it a virtual machine, a browser or the builds of a chapter."""
STOPS_WITHIN_S = 120


class Lane:
    """A lane beside the suite's own."""

    def __init__(self, name: str, pytest_arguments: Sequence[str]) -> None:
        """Start it."""
        self.name = name
        self.log, self._results = (_folder() / f"{name}.{kind}" for kind in ("log", "json"))
        command = (sys.executable, "-m", "docker_tutor", "test", "--beside", str(self._results), "all")
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                (*command, *pytest_arguments),
                env=os.environ | {testengine.LANE: name},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=paths.checkout(),
            )

    def finished(self) -> list[dict[str, Any]]:
        """Return the results that it left; none when it ended before it could."""
        if self.process.returncode or not self._results.exists():
            return []
        return list(json.loads(self._results.read_text(encoding="utf-8")))


def number() -> int:
    """Return how many lanes this machine has room for."""
    if (os.cpu_count() or 1) < NEEDS_CPUS:
        return 1
    return max(1, min(len(NAMES), psutil.virtual_memory().total // LANE_NEEDS_BYTES))


@contextmanager
def beside(pytest_arguments: Sequence[str], say: Callable[[str], None]) -> Iterator[list[Lane]]:
    """Run the other lanes while the body runs; show what they printed at the end, also after a failure."""
    shutil.rmtree(_folder(), ignore_errors=True)
    _folder().mkdir(parents=True)
    lanes = [Lane(name, pytest_arguments) for name in NAMES[1 : number()]]
    say(f"\n── {len(lanes)} more lanes beside this one, each into test-artefacts/lanes/NAME.log ──")
    try:
        yield lanes
        for lane in lanes:
            lane.process.wait()
    except BaseException as raised:
        # Ctrl-C has reached them as well, and once is enough: their engines have to be taken down in peace.
        if isinstance(raised, testengine.Ended) or not isinstance(raised, KeyboardInterrupt):
            for lane in lanes:
                lane.process.terminate()
        for lane in lanes:
            lane.process.wait(STOPS_WITHIN_S)
        raise
    finally:
        for lane in lanes:
            say(f"\n── what lane {lane.name} printed ──")
            say(lane.log.read_text(encoding="utf-8", errors="replace").rstrip())


def claim(step: str) -> bool:
    """Say whether the caller is the first to ask for this step, and so carries it out."""
    try:
        (_folder() / f"{quote(step, safe='')}.claimed").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _folder() -> Path:
    return paths.checkout() / "test-artefacts" / "lanes"
