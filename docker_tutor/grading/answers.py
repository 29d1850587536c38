"""The catalogue of answers: for each task right ones of different kinds, and wrong ones, each a mistake people make.

`labs/answers/labN/TASK.toml` has `[[right]]` (with `way`) and `[[wrong]]` (with `mistake` and `fails`, the keys of the
claims that do not hold). A `cell` is what a student would type, with `«name»` where a value of the task goes.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from docker_tutor import paths
from docker_tutor.errors import GradingError
from docker_tutor.grading.tasks import LabTasks
from docker_tutor.i18n import _

__all__ = ["Answer", "answers"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the catalogue."""

    task: str
    kind: str
    """`right` or `wrong`."""
    words: str
    """In which way it is right, or which mistake it is."""
    cell: str
    fails: tuple[str, ...] = ()
    """The claims that do not hold after it: all of them, and in no right answer any."""

    @property
    def right(self) -> bool:
        """Whether it is a right one."""
        return self.kind == "right"

    def __str__(self) -> str:
        """Return what a test is called."""
        return f"{self.task}, {self.kind}: {self.words}"


def answers(lab: LabTasks, task: str) -> tuple[Answer, ...]:
    """Return the answers to `task`, the right ones first. Raises GradingError when the catalogue has none."""
    return _read(lab.name, task)


@cache
def _read(lab: str, task: str) -> tuple[Answer, ...]:
    path = paths.checkout() / "labs" / "answers" / lab / f"{task}.toml"
    try:
        read: Mapping[str, Sequence[Mapping[str, Any]]] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as absent:
        raise GradingError(_("There are no answers to {task}: {path} is missing.").format(task=task, path=path)) from (
            absent
        )
    right = [Answer(task, "right", each["way"], each["cell"].strip()) for each in read["right"]]
    wrong = [
        Answer(task, "wrong", each["mistake"], each["cell"].strip(), tuple(each["fails"])) for each in read["wrong"]
    ]
    return (*right, *wrong)
