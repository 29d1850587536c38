"""A terminal with a scope of its own: `docker-tutor shell`, and every terminal of JupyterLab.

The shell is an ordinary one, with the environment in which `docker` reaches the engine through a gateway. What
is made in it is removed when it ends, or by the gateway itself when this process is killed.
"""

import os
import shlex
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from docker_tutor import engines
from docker_tutor.classroom.room import Room
from docker_tutor.engines.base import Engine
from docker_tutor.errors import CommandFailed
from docker_tutor.i18n import _
from docker_tutor.progress import Report, silent

__all__ = ["run"]

_NAME = "shell"


def run(command: Sequence[str] = (), *, engine: Engine | None = None, report: Report = silent) -> int:
    """Open a scope, run `command` (or the user's shell) in it, close it, and return the exit status.

    The shell starts in the directory it was called from. Ctrl-C is the shell's business, not ours; a terminal
    that is closed (SIGHUP) or ended (SIGTERM) takes the shell with it. Raises EngineError, PackageError, and
    CommandFailed when there is no such program.
    """
    chosen = engine or engines.resolve()
    chosen.up(report)
    room = Room(_NAME, chosen)
    came_from = Path.cwd()
    with room:
        room.enter()
        # The room's own environment was entered for this process; its child inherits it, but not the folder.
        words = list(command) or [os.environ.get("SHELL") or "/bin/sh"]
        with _signals_left_to(words, came_from) as child:
            return _status(child.wait())


@contextmanager
def _signals_left_to(words: Sequence[str], folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Start `words` in `folder`; let it have Ctrl-C to itself, and end it when we are told to end."""
    child: subprocess.Popen[bytes] | None = None

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if child is not None and child.poll() is None:
            child.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGHUP, signal.SIGTERM)}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        child = subprocess.Popen(words, cwd=folder)
        yield child
    except FileNotFoundError as absent:
        raise CommandFailed(_("There is no program `{program}`.").format(program=shlex.quote(words[0]))) from absent
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _status(returned: int) -> int:
    """Write a death by signal as a shell writes it: 128 + number."""
    return returned if returned >= 0 else 128 - returned
