"""What comes out of grading, as data: written by whoever graded, read and checked by whoever collects."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from docker_tutor.errors import SubmissionInvalid
from docker_tutor.grading.findings import Claim, Finding, Outcome, points
from docker_tutor.grading.tasks import LabTasks
from docker_tutor.grading.tasks import lab as lab_tasks
from docker_tutor.i18n import _

__all__ = ["Result", "Trouble"]

_LONGEST = 400
_STATUSES = ("graded", "late", "broken")


@dataclass(frozen=True, slots=True)
class Trouble:
    """A cell that did not go well."""

    cell: int
    """Its number among the cells that were run, from 1."""
    status: str
    """`error`, `late` or `died`."""
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """One submission, graded."""

    student: str
    lab: str
    status: Literal["graded", "late", "broken"]
    """`late`: its time ran out, and what was reached by then counts; `broken`: it could not be run."""
    note: str
    seconds: float
    outcomes: tuple[Outcome, ...]
    troubles: tuple[Trouble, ...] = ()
    mode: str = "trusted"
    digest: str = ""
    """Of what was handed in and how it was graded: the same digest need not be graded again."""

    @property
    def points(self) -> float:
        """The points that were reached."""
        return points(outcome.points for outcome in self.outcomes)

    @property
    def max_points(self) -> float:
        """The points that could be reached."""
        return points(outcome.max_points for outcome in self.outcomes)

    def to_json(self) -> str:
        """Return it as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def nothing(cls, student: str, number: int, note: str, *, mode: str, digest: str, seconds: float = 0) -> "Result":
        """Return the result of a submission that could not be run: no points, and why."""
        outcomes = tuple(Outcome.of(task.name, task.claims, {}, hidden=True) for task in lab_tasks(number).tasks)
        return cls(student, f"lab{number}", "broken", note[:_LONGEST], seconds, outcomes, mode=mode, digest=digest)

    @classmethod
    def from_json(cls, text: str, *, student: str, number: int, digest: str | None = None) -> "Result":
        """Read a result and hold it against what was asked for: nothing in it is taken on trust.

        The claims and their points are the lab's own; of the data only which of them held, and texts cut to a length.
        Raises SubmissionInvalid when it is not of that form.
        """
        try:
            data = json.loads(text)
            lab = lab_tasks(number)
            if data["student"] != student or data["lab"] != lab.name or data["status"] not in _STATUSES:
                raise ValueError("it is not of this submission")  # noqa: TRY301 - told apart below, in one place
            if digest is not None and data["digest"] != digest:
                raise ValueError("it is of an earlier one")  # noqa: TRY301
            outcomes = _outcomes(data["outcomes"], lab)
            troubles = tuple(
                Trouble(int(each["cell"]), str(each["status"])[:10], str(each["text"])[:_LONGEST])
                for each in data["troubles"][:100]
            )
            note, seconds = str(data["note"])[:_LONGEST], float(data["seconds"])
            return cls(
                student, lab.name, data["status"], note, seconds, outcomes, troubles, str(data["mode"]), data["digest"]
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            message = _("The result for {student} cannot be used: {error}")
            raise SubmissionInvalid(message.format(student=student, error=error)) from error


def _outcomes(data: Any, lab: LabTasks) -> tuple[Outcome, ...]:
    told = {each["task"]: each["findings"] for each in data}
    return tuple(
        Outcome(task.name, tuple(_finding(claim, told.get(task.name, [])) for claim in task.claims))
        for task in lab.tasks
    )


def _finding(claim: Claim, told: list[Mapping[str, Any]]) -> Finding:
    of_it = [each for each in told if each["key"] == claim.key]
    if len(of_it) > 1:
        raise ValueError(f"{claim.key} is told twice")
    if not of_it:
        return Finding.of(claim, held=False, found="", expected="")
    it = of_it[0]
    return Finding.of(claim, held=it["held"] is True, found=str(it["found"]), expected=str(it["expected"]))
