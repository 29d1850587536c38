"""A claim that was not tried is found, although nbval takes its dash for a tick."""

import os
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from docker_tutor.dev import suite


def run(folder: Path, said: str, engine: str) -> "subprocess.CompletedProcess[str]":
    stored = [new_output("stream", name="stdout", text="✓ water is wet\n")]
    path = folder / "claims.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(f"print({said!r})", outputs=stored, execution_count=1)]), path)
    environment = os.environ | {"DOCKER_TUTOR_ENGINE": engine}
    return subprocess.run(
        suite.nbval_command(path), env=environment, cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("said", "engine", "passes"), [
    ("✓ water is wet", "private", True),
    ("– water is wet", "private", False),
    ("– water is wet", "uml", True),
    ("– water is dry", "uml", False),
])  # fmt: skip
def test_an_untried_claim_passes_only_where_an_engine_may_lack_something(
    tmp_path: Path, said: str, engine: str, passes: bool
) -> None:
    done = run(tmp_path, said, engine)
    assert (done.returncode == 0) == passes, done.stdout
    assert ("not tried, on an engine that lacks nothing" in done.stdout) == (not passes and engine == "private")
