"""What nbval takes for a notebook ÷ the time in which the engine had something to do for it.

The second is read from the gateway's record: the moments at which at least one request was under way, streams and
builds among them. The rest is Python, the kernel's start, plots and nbval itself.
"""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.rows import Row
from docker_tutor import paths
from docker_tutor.dev import suite, testengine
from docker_tutor.gateway.records import CALLS_FILE, read_calls

LOOK_EVERY_S = 0.2


def rows() -> Iterator[Row]:
    """Measure every notebook on the test engine, once; the images are made in a run before it."""
    all_s = all_busy_s = 0.0
    with testengine.running():
        for notebook in sorted((paths.checkout() / "notebooks").glob("*.ipynb")):
            _run(notebook)
            with tempfile.TemporaryDirectory(dir=paths.runtime_folder()) as folder, _records_kept(Path(folder)):
                began = time.monotonic()
                _run(notebook)
                taken = time.monotonic() - began
                busy = _busy_s(Path(folder))
            all_s, all_busy_s = all_s + taken, all_busy_s + busy
            yield Row(f"nbval of {notebook.stem} ÷ engine busy", busy, taken, 1)
    yield Row("nbval of all notebooks ÷ engine busy", all_busy_s, all_s, 1, at_most=1.25)


def _run(notebook: Path) -> None:
    subprocess.run(suite.nbval_command(notebook), check=True, capture_output=True, cwd=paths.checkout())


@contextmanager
def _records_kept(folder: Path) -> Iterator[None]:
    """Give the record of every room that opens a second name in `folder`: the first goes with the room."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK_EVERY_S):
            for file in paths.runtime_folder().rglob(CALLS_FILE):
                kept = folder / str(file.stat().st_ino) / CALLS_FILE
                if folder not in file.parents and not kept.exists():
                    kept.parent.mkdir()
                    os.link(file, kept)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join()


def _busy_s(folder: Path) -> float:
    calls = [call for kept in folder.iterdir() for call in read_calls(kept)]
    busy, until = 0.0, 0.0
    for call in sorted(calls, key=lambda call: call.started_s):
        end = call.started_s + call.duration_s
        busy += max(0.0, end - max(until, call.started_s))
        until = max(until, end)
    return busy
