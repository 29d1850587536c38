"""Runs chosen cells of a notebook as the notebook has them, and says which of its claims do not hold.

That all of them hold behind an honest gateway is what the run of the notebook itself shows.
"""

import ast
import os
import subprocess
from collections.abc import Collection
from pathlib import Path
from typing import Any

import nbformat

from docker_tutor.errors import CheckFailed

__all__ = ["NOTEBOOKS", "failing_claims", "sections_of"]

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def failing_claims(notebook: str, sections: Collection[str], typed: Collection[str]) -> set[str]:
    """Run the first code cell and those whose ids begin with one of `sections`; return the claims that failed.

    Typed commands are run only where a later cell needs what they make. Each statement is run by itself, so that
    one failure hides none. The room is closed at the end.
    """
    cells = [cell for cell in nbformat.read(NOTEBOOKS / notebook, as_version=4).cells if cell.cell_type == "code"]
    wanted = [cell for cell in cells if cell.id.partition("-")[0] in sections and not cell.id.endswith("-predict")]
    names: dict[str, Any] = {}
    exec(compile(cells[0].source, cells[0].id, "exec"), names)  # noqa: S102 - the course's own notebook
    failed: set[str] = set()
    try:
        for cell in wanted:
            if cell.id in typed:
                _bash(cell.source)
            elif not cell.source.startswith("%%"):
                failed |= _python(cell.id, cell.source, names)
    finally:
        names["room"].close()
    return failed


def sections_of(*claims: str) -> set[str]:
    """Return the sections in which these claims are made."""
    return {claim.partition(":")[0] for claim in claims}


def _bash(source: str) -> None:
    first, _newline, script = source.partition("\n")
    done = subprocess.run(["bash"], input=script, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "--no-raise-error" in first, done.stderr


def _python(name: str, source: str, names: dict[str, Any]) -> set[str]:
    failed = set()
    for statement in ast.parse(source).body:
        try:
            exec(compile(ast.Module([statement], []), name, "exec"), names)  # noqa: S102 - the course's own notebook
        except CheckFailed as failure:
            failed.add(f"{name.partition('-')[0]}: {str(failure).splitlines()[0].removeprefix('✗ ')}")
    return failed
