"""The suite in two lanes side by side, each with a test engine of its own: most steps wait more than they compute.

The second lane is a process of its own, for a test engine is chosen by variables that belong to a whole process. What
it prints is kept in a file and shown when the first lane is done; its results come back as data.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psutil

from docker_tutor import paths
from docker_tutor.dev import testengine
from docker_tutor.units import GiB

__all__ = ["beside", "finished", "possible"]

NEEDS_CPUS = 2
NEEDS_BYTES = 8 * GiB
"""Two private engines, a virtual machine, and a browser or the builds of a chapter."""
STOPS_WITHIN_S = 120
RESULTS = "beside.json"


def possible() -> bool:
    """Return whether this machine has room for two lanes."""
    return (os.cpu_count() or 1) >= NEEDS_CPUS and psutil.virtual_memory().total >= NEEDS_BYTES


@contextmanager
def beside(pytest_arguments: Sequence[str], say: Callable[[str], None]) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the second lane while the body runs; show what it printed at the end, also after a failure."""
    log, results = (paths.checkout() / "test-artefacts" / name for name in ("beside.log", RESULTS))
    log.parent.mkdir(exist_ok=True)
    results.unlink(missing_ok=True)
    command = (sys.executable, "-m", "docker_tutor", "test", "--beside", str(results), "all", *pytest_arguments)
    environment = os.environ | {testengine.LANE: "b"}
    say(f"\n── beside what follows, into {log.relative_to(paths.checkout())}: the second lane ──")
    with log.open("wb") as output:
        running = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=paths.checkout()
        )
    try:
        yield running
        running.wait()
    except BaseException as raised:
        # Ctrl-C has reached it as well, and once is enough: its engine has to be taken down in peace.
        if isinstance(raised, testengine.Ended) or not isinstance(raised, KeyboardInterrupt):
            running.terminate()
        running.wait(STOPS_WITHIN_S)
        raise
    finally:
        say("\n── what the second lane printed ──")
        say(log.read_text(encoding="utf-8", errors="replace").rstrip())


def finished(lane: "subprocess.Popen[bytes]") -> list[dict[str, Any]]:
    """Return the results that a second lane left; none when it ended before it could."""
    results = paths.checkout() / "test-artefacts" / RESULTS
    if lane.returncode or not results.exists():
        return []
    return list(json.loads(results.read_text(encoding="utf-8")))
