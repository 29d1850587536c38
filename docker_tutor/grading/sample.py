"""A made-up class that hands in answers of the catalogue: to try grading on, and to show what comes out of it."""

import json
import tomllib
from pathlib import Path
from typing import Any

import nbformat

from docker_tutor import paths
from docker_tutor.errors import GradingError
from docker_tutor.grading.answers import answers
from docker_tutor.grading.tasks import LabTasks
from docker_tutor.grading.tickets import TICKET_FILE, Secret
from docker_tutor.i18n import _

__all__ = ["hand_in", "students"]


def students() -> dict[str, list[str]]:
    """Return the made-up students, and for each what is handed in to each task (see `labs/sample/class.toml`)."""
    text = (paths.checkout() / "labs" / "sample" / "class.toml").read_text(encoding="utf-8")
    return {student: picks.split() for student, picks in tomllib.loads(text).items()}


def hand_in(lab: LabTasks, secret: Secret, release: Path, submitted: Path) -> list[Path]:
    """Fill the released notebook for each student and lay it where nbgrader collects; return the notebooks' paths.

    Raises GradingError when the release has not been generated.
    """
    notebook = release / lab.name / f"{lab.name}.ipynb"
    if not notebook.exists():
        raise GradingError(_("{path} is missing: `nbgrader generate_assignment` makes it.").format(path=notebook))
    written = []
    for student, picks in students().items():
        folder = submitted / student / lab.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / TICKET_FILE).write_text(f"{secret.ticket(student)}\n", encoding="ascii")
        filled = _filled(notebook, lab, student, picks, secret)
        (folder / notebook.name).write_text(filled, encoding="utf-8")
        written.append(folder / notebook.name)
    return written


def _filled(notebook: Path, lab: LabTasks, student: str, picks: list[str], secret: Secret) -> str:
    read: Any = nbformat.read(notebook, as_version=4)
    cells = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in read.cells}
    for number, task in enumerate(lab.tasks):
        pick, whose = picks[number % len(picks)], student
        if pick.startswith("="):  # copied: the other's answer with the other's values
            whose = pick[1:]
            pick = students()[whose][number % len(picks)]
        if pick == "-":
            continue
        known = [each for each in answers(lab, task.name) if each.right == (pick[0] == "r")]
        answer = known[int(pick[1:]) % len(known)]
        cells[f"{task.name}-answer"].source = lab.values(task, secret.ticket(whose)).fill(answer.cell)
    return json.dumps(read, indent=1, ensure_ascii=False) + "\n"
