"""Running a program for a room: its words, its environment, a time limit, and errors that say what happened."""

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence

from docker_tutor.errors import CommandFailed, WaitTimedOut
from docker_tutor.i18n import _

__all__ = ["run"]

_TAIL = 2000


def run(
    words: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: str | os.PathLike[str],
    check: bool = True,
    timeout_s: float = 60,
    stdin: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run `words` in `cwd` with exactly `env`, and return what was written.

    Raises CommandFailed when the program is not there or ends with an error (unless `check` is False), and
    WaitTimedOut when it has not ended after `timeout_s` seconds; it is killed then.
    """
    try:
        done = subprocess.run(
            list(words),
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=dict(env),
            cwd=cwd,
            timeout=timeout_s,
            check=False,
            **({"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}),
        )
    except FileNotFoundError as absent:
        message = _("There is no program `{program}` here. Run `docker-tutor doctor` to see what is missing.")
        raise CommandFailed(message.format(program=words[0])) from absent
    except subprocess.TimeoutExpired as late:
        written = (_decoded(late.stdout) + _decoded(late.stderr)).strip()
        message = _("`{command}` had not ended after {seconds:g} s. It had written:\n{written}")
        raise WaitTimedOut(
            message.format(command=shlex.join(words), seconds=timeout_s, written=written[-_TAIL:] or "—")
        ) from late
    if check and done.returncode:
        written = (done.stderr.strip() or done.stdout.strip())[-_TAIL:]
        message = _("`{command}` ended with {code}:\n{written}")
        raise CommandFailed(message.format(command=shlex.join(words), code=done.returncode, written=written or "—"))
    return done


def _decoded(written: bytes | str | None) -> str:
    return written.decode(errors="replace") if isinstance(written, bytes) else written or ""
