"""What nbval takes for a notebook ÷ the time in which it was the engine's turn.

That is when a request was under way, streams and builds among them, as the gateways' records tell; and when neither
the notebook's kernel nor nbval computed, but waited for a container at work, a second engine or a machine: no record
tells of these. The rest is the kernel's start, Python, plots, and nbval itself. The goal is for
requests alone, the narrower reading: the other tells what is left for Python to save.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.looking import looking
from benchmarks.rows import Row
from docker_tutor import paths
from docker_tutor.dev import refresh, suite, testengine
from docker_tutor.gateway.records import CALLS_FILE, read_calls

LOOK_EVERY_S = 0.2
COMPUTES = 0.5
"""Who uses more of a CPU than this does not wait."""

Span = tuple[float, float]


def rows(notebooks: Sequence[str] = ()) -> Iterator[Row]:
    """Measure `notebooks` (all) on the test engine, once; the images are made in a run before it."""
    all_s, all_turn_s, all_asked_s = 0.0, 0.0, 0.0
    with testengine.running():
        for notebook in refresh.named(notebooks):
            _prepare(notebook)
            taken_s, turn_s, asked_s = _measure(notebook)
            all_s, all_turn_s, all_asked_s = all_s + taken_s, all_turn_s + turn_s, all_asked_s + asked_s
            yield Row(f"nbval of {notebook.stem} ÷ engine's turn", turn_s, taken_s, 1)
    total = "nbval of these notebooks" if notebooks else "nbval of all notebooks"
    yield Row(f"{total} ÷ engine's turn", all_turn_s, all_s, 1)
    yield Row(f"{total} ÷ requests under way", all_asked_s, all_s, 1, at_most=1.25)


def _prepare(notebook: Path) -> None:
    done = subprocess.run(
        suite.nbval_command(notebook), capture_output=True, text=True, cwd=paths.checkout(), check=False
    )
    if done.returncode:
        raise RuntimeError(done.stdout[-4000:] + done.stderr[-1000:])


def _measure(notebook: Path) -> tuple[float, float, float]:
    """Run nbval once; return the seconds that it took, those of the engine's turn, and those with a request."""
    with tempfile.TemporaryDirectory(dir=paths.runtime_folder()) as folder:
        began = time.monotonic()
        with (
            subprocess.Popen(suite.nbval_command(notebook), stdout=subprocess.DEVNULL, cwd=paths.checkout()) as nbval,
            _watched(Path(folder), psutil.Process(nbval.pid)) as waited,
        ):
            nbval.wait()
        taken_s = time.monotonic() - began
        if nbval.returncode:
            raise RuntimeError(f"{notebook.stem} does not pass")
        calls = (call for kept in Path(folder).iterdir() for call in read_calls(kept))
        asked = [(call.started_s, call.started_s + call.duration_s) for call in calls]
    return taken_s, _union_s([*asked, *waited]), _union_s(asked)


@dataclass
class _Python:
    """The processes of nbval and of the notebook's kernel below it."""

    nbval: psutil.Process
    kernel: psutil.Process | None = None
    _used_s: float = 0.0

    def used_s(self) -> float:
        """Return the CPU seconds since the last call; raises psutil.Error, StopIteration when there is no kernel."""
        if self.kernel is None or not self.kernel.is_running():
            self.kernel = next(each for each in self.nbval.children() if "ipykernel" in " ".join(each.cmdline()))
        now = sum(sum(process.cpu_times()[:2]) for process in (self.nbval, self.kernel))
        used, self._used_s = now - self._used_s, now
        return used


@contextmanager
def _watched(folder: Path, nbval: psutil.Process) -> Iterator[list[Span]]:
    """Keep the record of every room that opens under a second name: the first goes with the room.

    Yields the spans in which Python waited.
    """
    waited, python, last = list[Span](), _Python(nbval), time.time()

    def look() -> None:
        nonlocal last
        for file in paths.runtime_folder().glob(f"scopes/*/{CALLS_FILE}"):
            with suppress(FileNotFoundError, FileExistsError):  # gone with its room just now; kept before
                (folder / str(file.stat().st_ino)).mkdir()
                os.link(file, folder / str(file.stat().st_ino) / CALLS_FILE)
        now = time.time()
        with suppress(psutil.Error, StopIteration):  # there is no kernel yet, or no more
            if python.used_s() <= COMPUTES * (now - last):
                waited.append((last, now))
        last = now

    with looking(look, LOOK_EVERY_S):
        yield waited


def _union_s(spans: Iterable[Span]) -> float:
    busy = until = 0.0
    for start, end in sorted(spans):
        busy += max(0.0, end - max(until, start))
        until = max(until, end)
    return busy
