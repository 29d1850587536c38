"""The course in a sandbox like Binder's, on a virtual machine, ÷ the course on the private engine: seconds of nbval.

On both the engine is up, and has what the notebooks name and what their builds fetch. All notebooks take an hour and
more; `python -m benchmarks course 00 06` takes those.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from benchmarks.rows import Row
from docker_tutor import paths
from docker_tutor.cli.named_images import named_in
from docker_tutor.dev import refresh, sandbox, suite, testengine
from docker_tutor.engines.clients import sdk

PASSED = re.compile(r"^(?P<notebook>/\S+): passed after (?P<all>[\d.]+) s, (?P<up>[\d.]+) s of it", re.MULTILINE)
AT_MOST = 3


def rows(notebooks: Sequence[str] = ()) -> Iterator[Row]:
    """Measure `notebooks` (all), once; needs Linux and root. Raises RuntimeError when one does not pass."""
    found = refresh.named(notebooks)
    stems = {path.stem for path in found}
    names = [name for name, where in named_in(paths.checkout() / "notebooks").items() if stems & set(where)]
    with (
        sandbox.prepare(names, found, _say) as home,
        testengine.running(kind="private") as engine,
        closing(sdk(engine.address, timeout=3600)) as client,
    ):
        outcome = sandbox.run_notebooks(client, home, found, _say)
        if outcome.failed:
            raise RuntimeError(f"{outcome.failed} notebooks do not pass in the sandbox")
        passed = PASSED.finditer(outcome.said)
        sandboxed_s = {Path(each["notebook"]): float(each["all"]) - float(each["up"]) for each in passed}
        for command in sandbox.preparation(names, found):
            subprocess.run(command, cwd=paths.checkout(), check=True, stdout=subprocess.DEVNULL)
        private_s = {path: _nbval_s(path) for path in found}
    for path in found:
        yield Row(f"nbval of {path.stem}: sandbox ÷ private engine", private_s[path], sandboxed_s[path], 1)
    total = "nbval of these notebooks" if notebooks else "nbval of the whole course"
    yield Row(f"{total}: sandbox ÷ private engine", sum(private_s.values()), sum(sandboxed_s.values()), 1, AT_MOST)


def _nbval_s(notebook: Path) -> float:
    began = time.monotonic()
    done = subprocess.run(
        suite.nbval_command(notebook), cwd=paths.checkout(), env=os.environ, capture_output=True, text=True, check=False
    )
    taken_s = time.monotonic() - began
    if done.returncode:
        raise RuntimeError(f"{notebook.stem} does not pass:\n{done.stdout[-4000:]}{done.stderr[-1000:]}")
    _say(f"{notebook.stem} on the private engine: {taken_s:.1f} s\n")
    return taken_s


def _say(text: str) -> None:
    print(text.rstrip("\n"), file=sys.stderr, flush=True)
