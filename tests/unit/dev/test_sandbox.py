"""What a sandbox's home is given, and the program that runs in it."""

import os
from pathlib import Path

from docker_tutor.dev import binder, sandbox
from docker_tutor.topics import lint


def test_a_home_has_the_programs_that_pip_would_put_there(tmp_path: Path) -> None:
    sandbox.install(tmp_path)
    assert os.access(tmp_path / "bin/docker-tutor", os.X_OK)
    assert (tmp_path / "bin/hadolint").resolve() == Path(lint.program()).resolve()


def test_the_programs_that_run_inside_are_programs() -> None:
    compile(sandbox.NOTEBOOK, "notebooks", "exec")
    compile(binder.SESSION, "session", "exec")
