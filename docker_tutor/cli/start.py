"""`docker-tutor start` and `stop`: the engine and JupyterLab together, and nothing left afterwards."""

import os
import signal
import sys
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import click
import psutil

from docker_tutor.cli import copy, running
from docker_tutor.cli.console import err, out, reporting
from docker_tutor.cli.engine import chosen, engine_option
from docker_tutor.cli.lab import STOPS_WITHIN_S, Lab
from docker_tutor.cli.preflight import check_room
from docker_tutor.engines.base import Engine
from docker_tutor.errors import CourseError
from docker_tutor.i18n import _

__all__ = ["start", "stop"]

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command()
@engine_option
@click.option("--port", default=8888, show_default=True, help=_("Where JupyterLab listens on 127.0.0.1."))
@click.option("--no-browser", is_flag=True, help=_("Only print the address."))
def start(kind: str | None, port: int, *, no_browser: bool) -> None:
    """Open the course: your copy of the notebooks, an engine, JupyterLab. Ctrl-C ends all of it."""
    if (already := running.read()) is not None:
        out.print(_("The course is already open: {url}").format(url=already.url or "…"), markup=False)
        return
    check_room()
    _say_copied(copy.update(copy.course_folder(), copy.learner_folder()))
    engine = chosen(kind)
    lab = Lab(copy.learner_folder(), port)
    try:
        with _endings_interrupt() as asked_for:
            _serve(lab, engine, browser=not no_browser)
            asked_for()
            code = lab.wait()
    except KeyboardInterrupt:
        code = 0
    finally:
        with _endings_ignored():
            err.print(_("Stopping …"))
            lab.stop()
            _put_away(engine)
    if code:
        raise CourseError(_("JupyterLab ended with code {code}. Its log: {log}").format(code=code, log=lab.log))
    err.print(_("Stopped. Your notebooks are in {folder}").format(folder=copy.learner_folder()), markup=False)


@click.command()
@engine_option
def stop(kind: str | None) -> None:
    """Stop JupyterLab and the engine, from another terminal or after a crash."""
    course = running.read()
    if course is not None:
        # `start` stops everything in order when it is asked; only after its own death is JupyterLab asked instead.
        for pid, born in ((course.pid, course.pid_born), (course.lab_pid, course.lab_born)):
            _end(running.process(pid, born))
    _put_away(chosen(kind))
    err.print(_("Stopped.") if course else _("The course was not open; nothing of it is running now."))


def _serve(lab: Lab, engine: Engine, *, browser: bool) -> None:
    running.write(running.Course(os.getpid()))
    with reporting() as report:
        engine.up(report)
    state = engine.status()
    err.print(_("Docker Engine {version} is up ({kind}).").format(version=state.version, kind=engine.kind))
    err.print(_("Starting JupyterLab …"))
    lab.start(os.environ)
    running.write(running.Course(os.getpid(), lab.process.pid, lab.url))
    out.print(_("\nThe course is open at\n\n    {url}\n").format(url=lab.url), markup=False)
    err.print(_("Ctrl-C here, or `./course stop` in another terminal, ends it and the engine."))
    if browser and _has_a_screen():
        webbrowser.open(lab.url)


def _has_a_screen() -> bool:
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _put_away(engine: Engine) -> None:
    if engine.disposable:
        engine.down()
    running.forget()


def _end(process: psutil.Process | None) -> None:
    if process is None or process.pid == os.getpid():
        return
    try:
        process.terminate()
        # `start` gives JupyterLab its time first, then takes the engine down.
        running.wait_for_end(process, STOPS_WITHIN_S * 3)
    except psutil.TimeoutExpired:
        process.kill()
    except psutil.NoSuchProcess:
        return


def _say_copied(copied: copy.Copied) -> None:
    folder = copy.learner_folder()
    if copied.added:
        message = _("Your copy of the notebooks is in {folder} (new there: {count}).")
        err.print(message.format(folder=folder, count=len(copied.added)), markup=False)
    if copied.newer:
        message = _("The course has newer editions of {names}; yours are untouched. `./course reset NAME` brings them.")
        err.print(message.format(names=", ".join(copied.newer)), markup=False)


@contextmanager
def _endings_interrupt() -> Iterator[Callable[[], None]]:
    """Let a closed terminal and `stop` do what Ctrl-C does; yield what raises again if one of them has come before.

    An exception that a signal raises while a weak reference's callback or a finaliser runs, as at the end of an import,
    is reported by the interpreter and goes no further (`sys.unraisablehook`): whoever then waits would wait for ever.
    """
    asked = False

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        raise KeyboardInterrupt

    def asked_for() -> None:
        if asked:
            raise KeyboardInterrupt

    with _handling(interrupt):
        yield asked_for


@contextmanager
def _endings_ignored() -> Iterator[None]:
    """Let nothing interrupt the clearing away: a second Ctrl-C would leave a daemon behind."""
    with _handling(signal.SIG_IGN):
        yield


@contextmanager
def _handling(handler: signal.Handlers | object) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in _ENDINGS}  # type: ignore[arg-type]
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
