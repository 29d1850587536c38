"""The private engine on which tests run and outputs are made: never the learner's own."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from docker_tutor import engines, paths
from docker_tutor.engines.base import Engine
from docker_tutor.progress import Report, silent

__all__ = ["environment", "processes", "running"]


def environment() -> dict[str, str]:
    """Return the variables under which everything uses the test engine, in folders of its own."""
    name = "t" + hashlib.sha256(str(paths.checkout()).encode()).hexdigest()[:7]
    return {"DOCKER_TUTOR_INSTANCE": name, "DOCKER_TUTOR_ENGINE": "private"}


@contextmanager
def running(report: Report = silent) -> Iterator[Engine]:
    """Bring the test engine up, point this process and its children at it, and take it down at the end.

    Its images stay for the next time, except in CI. One that already runs is used and left running.
    """
    before = dict(os.environ)
    os.environ.update(environment())
    os.environ.update(paths.jupyter_environment())
    try:
        engine = engines.resolve("private")
        was_up = engine.status().state == "running"
        try:
            engine.up(report)
            yield engine
        finally:
            if not was_up:
                throw_away = bool(os.environ.get("CI"))
                engine.down(purge=throw_away)
                if throw_away:
                    for folder in (paths.data_folder(), paths.runtime_folder()):
                        shutil.rmtree(folder)
    finally:
        os.environ.clear()
        os.environ.update(before)


def processes() -> list[str]:
    """Return the command lines of processes that belong to the test engine: none, once it is down."""
    wanted = environment()["DOCKER_TUTOR_INSTANCE"]
    found = []
    for process in psutil.process_iter(["cmdline", "pid"]):
        words = " ".join(process.info["cmdline"] or [])
        if process.pid != os.getpid() and f"/{wanted}/" in words:
            found.append(words)
    return found
