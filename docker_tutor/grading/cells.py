"""What was handed in: the cells that are run, and the places at which each task is looked at.

Only the order of a submission's cells is believed, and of its metadata only which cell was meant for which test. The
source of a test cell is never run: its place says when the grader looks. A test whose cell is gone is looked at at the
end; one whose cell is there twice is looked at once, at the first.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nbformat

from docker_tutor.errors import SubmissionInvalid
from docker_tutor.grading.tasks import LabTasks
from docker_tutor.i18n import _

__all__ = ["Step", "files_of", "steps"]

_LARGEST_BYTES = 8 << 20
_MOST_FILES = 200


@dataclass(frozen=True, slots=True)
class Step:
    """A cell to run, or a task to look at."""

    kind: Literal["run", "look"]
    text: str
    """The cell's source, or the task's name."""


def steps(notebook: bytes, lab: LabTasks) -> list[Step]:
    """Return what to do with a notebook, in order. Raises SubmissionInvalid when it is none."""
    found = list(_steps(_cells(notebook), {task.name for task in lab.tasks}))
    looked_at = {step.text for step in found if step.kind == "look"}
    return found + [Step("look", task.name) for task in lab.tasks if task.name not in looked_at]


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the files of a submission by relative path, no links. Raises SubmissionInvalid if they are too much."""
    found: dict[str, bytes] = {}
    size = 0
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file() or ".ipynb_checkpoints" in path.parts:
            continue
        size += path.stat().st_size
        if size > _LARGEST_BYTES or len(found) >= _MOST_FILES:
            raise SubmissionInvalid(
                _("{folder} holds more than {files} files or {mib} MiB.").format(
                    folder=folder, files=_MOST_FILES, mib=_LARGEST_BYTES >> 20
                )
            )
        found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def _cells(notebook: bytes) -> list[Mapping[str, Any]]:
    try:
        read: Any = nbformat.reads(notebook.decode("utf-8"), as_version=4)
        return list(read.cells)
    except Exception as error:
        raise SubmissionInvalid(_("The notebook cannot be read: {error}").format(error=str(error)[:200])) from error


def _steps(cells: list[Mapping[str, Any]], tasks: set[str]) -> Iterator[Step]:
    seen: set[str] = set()
    for cell in cells:
        if cell.get("cell_type") != "code":
            continue
        told = cell.get("metadata", {}).get("nbgrader", {})
        identity = str(told.get("grade_id", "")) if isinstance(told, Mapping) else ""
        task = identity.removesuffix("-test")
        if identity.endswith("-test") and task in tasks:
            if task not in seen:
                seen.add(task)
                yield Step("look", task)
            continue
        if source := str(cell.get("source", "")).strip():
            yield Step("run", source)
