import os
import subprocess
import sys
from typing import Any

import pytest

from docker_tutor.classroom import commands
from docker_tutor.errors import CommandFailed, WaitTimedOut


def run(*code: str, **kwargs: Any) -> subprocess.CompletedProcess[str]:
    return commands.run([sys.executable, "-c", *code], env=os.environ, cwd="/", **kwargs)


def test_what_was_written_comes_back() -> None:
    done = run("import sys; print(sys.stdin.read()); print('aside', file=sys.stderr)", stdin="ünder")
    assert (done.stdout, done.stderr, done.returncode) == ("ünder\n", "aside\n", 0)


def test_nobody_is_asked_anything_when_there_is_no_input() -> None:
    assert run("import sys; print(repr(sys.stdin.read()))").stdout == "''\n"


def test_an_error_tells_the_command_its_status_and_its_own_words() -> None:
    with pytest.raises(CommandFailed, match=r"ended with 3:\nno such thing"):
        run("import sys; print('no such thing', file=sys.stderr); sys.exit(3)")


def test_an_error_can_be_what_is_wanted() -> None:
    assert run("raise SystemExit(3)", check=False).returncode == 3


def test_a_command_that_does_not_end_is_killed_and_its_last_words_are_told() -> None:
    code = "import sys, threading; print('so far', flush=True); threading.Event().wait()"
    with pytest.raises(WaitTimedOut, match=r"had not ended after 1 s. It had written:\nso far"):
        run(code, timeout_s=1)


def test_a_program_that_is_not_there_is_one_clear_error() -> None:
    with pytest.raises(CommandFailed, match="There is no program `no-such-docker` here"):
        commands.run(["no-such-docker", "ps"], env=os.environ, cwd="/")
