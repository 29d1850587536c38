"""A claim that was not tried is found, although nbval takes its dash for a tick."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook, new_output

from docker_tutor.dev import suite


def run(folder: Path, said: Sequence[str], engine: str) -> str:
    """Run a notebook that says these things where it said that water is wet, and return what nbval reports."""
    stored = [new_output("stream", name="stdout", text="✓ water is wet\n")]
    path = folder / "claims.ipynb"
    cells = [new_code_cell(f"print({each!r})", outputs=stored, execution_count=1) for each in said]
    nbformat.write(new_notebook(cells=cells), path)
    environment = os.environ | {"DOCKER_TUTOR_ENGINE": engine}
    words = suite.nbval_command(path)
    return subprocess.run(words, env=environment, cwd=folder, capture_output=True, text=True, check=False).stdout


def test_an_untried_claim_fails_where_an_engine_lacks_nothing(tmp_path: Path) -> None:
    report = run(tmp_path, ["✓ water is wet", "– water is wet"], "private")
    assert "1 failed, 1 passed" in report
    assert "not tried, on an engine that lacks nothing" in report


def test_an_untried_claim_passes_where_an_engine_may_lack_something_and_another_claim_fails(tmp_path: Path) -> None:
    report = run(tmp_path, ["– water is wet", "– water is dry"], "uml")
    assert "1 failed, 1 passed" in report
    assert "not tried, on an engine that lacks nothing" not in report
