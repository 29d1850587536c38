"""The engine on which tests run and outputs are made, never the learner's own: private, or somebody's.

`DOCKER_TUTOR_TEST_ENGINE` chooses: `private` (the default), `uml` or `qemu` for a virtual machine, or `graph` or
`containerd`, the image store of an engine on which the course is a guest (see `foreign`).
"""

import hashlib
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import psutil

from docker_tutor import engines, paths
from docker_tutor.dev import foreign
from docker_tutor.engines.base import Engine
from docker_tutor.errors import EngineError
from docker_tutor.progress import Report, silent

__all__ = ["LANE", "VARIABLE", "Ended", "endable", "environment", "processes", "running"]

VARIABLE = "DOCKER_TUTOR_TEST_ENGINE"
LANE = "DOCKER_TUTOR_TEST_LANE"
"""Names the lane of a suite that runs in several, each on engines of its own (see `lanes`)."""
OWN = ("private", "uml", "qemu")
"""The kinds that the course brings itself."""
UP = "DOCKER_TUTOR_TEST_ENGINE_UP"
"""Tells children of the process that brought somebody's engine up that it is there."""


class Ended(KeyboardInterrupt):
    """Somebody sent SIGTERM: everything is taken down, as after Ctrl-C, which tells the children as well."""


def endable() -> None:
    """Let SIGTERM end this process in order, as Ctrl-C does (`man 7 signal`).

    A shell lets what it starts in the background ignore SIGINT, and so would everything that is started from here.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        raise Ended

    signal.signal(signal.SIGTERM, end)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def environment(store: foreign.ImageStore | None = None) -> dict[str, str]:
    """Return the variables under which everything uses the test engine (else somebody's), in folders of its own."""
    name = "t" + hashlib.sha256(str(paths.checkout()).encode()).hexdigest()[:7] + os.environ.get(LANE, "")
    if store:
        return {"DOCKER_TUTOR_INSTANCE": f"{name}-{store[0]}", "DOCKER_TUTOR_ENGINE": "existing"}
    kind = next((each for each in OWN[1:] if each == os.environ.get(VARIABLE)), OWN[0])
    return {"DOCKER_TUTOR_INSTANCE": name if kind == OWN[0] else f"{name}-{kind}", "DOCKER_TUTOR_ENGINE": kind}


@contextmanager
def running(report: Report = silent, kind: str | None = None) -> Iterator[Engine]:
    """Bring the test engine up, point this process and its children at it, and take it down at the end.

    Its images stay for the next time, except in CI. One that already runs is used and left running. Raises
    EngineError, also when something of somebody's is not as it was.
    """
    before = dict(os.environ)
    if kind:
        os.environ[VARIABLE] = kind
    store = next((each for each in foreign.STORES if each == os.environ.get(VARIABLE)), None)
    os.environ.update(environment(store))
    os.environ.update(paths.jupyter_environment())
    try:
        if store:
            with _foreign(store, report) as guest:
                yield guest
            return
        engine = engines.resolve(os.environ["DOCKER_TUTOR_ENGINE"])
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


@contextmanager
def _foreign(store: foreign.ImageStore, report: Report) -> Iterator[Engine]:
    if os.environ.get(UP) == store:
        yield engines.resolve()
        return
    with foreign.somebodys(store, report) as theirs:
        os.environ.update(theirs.environment | {UP: store})
        before = theirs.listing()
        yield engines.resolve()
        changed = foreign.different(before, theirs.listing())
        if changed:
            raise EngineError("\n".join(["Somebody's things are not as they were:", *changed]))


def processes() -> list[str]:
    """Return the command lines of processes that belong to the test engine: none, once it is down."""
    own = f"/{environment()['DOCKER_TUTOR_INSTANCE']}/"
    somebodys = f"/{foreign.PREFIX}{os.getpid()}-"
    found = []
    for process in psutil.process_iter(["cmdline", "pid"]):
        words = " ".join(process.info["cmdline"] or [])
        if process.pid != os.getpid() and (own in words or somebodys in words):
            found.append(words)
    return found
