"""The made-up class graded both ways, with nbgrader and with `docker-tutor grade`: the same points for each task."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from docker_tutor.dev.courses import NbgraderCourse
from docker_tutor.grading.classes import Finished, grade_class
from docker_tutor.grading.jobs import collect

__all__ = ["Compared", "Difference", "compare"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A task for which the two ways give a student different points."""

    student: str
    task: str
    theirs: float | None
    """What nbgrader has; None when it has nothing."""
    ours: float


@dataclass(frozen=True, slots=True)
class Compared:
    """One lab, graded both ways."""

    lab: str
    points: dict[str, float]
    """Our points of each student."""
    grades: int
    """How many grades were compared: one for each student and task."""
    differences: tuple[Difference, ...]
    theirs_s: float
    """What `nbgrader autograde` took."""
    ours_s: float


def compare(labs: Sequence[int], mode: str = "trusted") -> Iterator[Compared]:
    """Hand out, collect and grade each lab both ways. Raises GradingError when either way breaks off."""
    with tempfile.TemporaryDirectory(prefix="docker-tutor-course-") as folder:
        for number in labs:
            # A course of its own for each lab: nbgrader and we then grade the same submissions and no others.
            yield _compared(NbgraderCourse(Path(folder) / f"course{number}"), number, mode)


def _compared(course: NbgraderCourse, number: int, mode: str) -> Compared:
    name = f"lab{number}"
    course.nbgrader("generate_assignment", name)
    course.hand_in(number)
    began = time.monotonic()
    course.nbgrader("autograde", name)
    theirs_s = time.monotonic() - began
    theirs = course.scores(number)
    began = time.monotonic()
    results = grade_class(
        collect(course.folder / "submitted", course.secret, mode=mode), Finished(course.folder / "kept")
    )
    ours_s = time.monotonic() - began
    ours = {(each.student, outcome.task): outcome.points for each in results for outcome in each.outcomes}
    differences = tuple(
        Difference(student, task, told, points)
        for (student, task), points in ours.items()
        if (told := theirs.get(student, {}).get(task)) != points
    )
    return Compared(name, {each.student: each.points for each in results}, len(ours), differences, theirs_s, ours_s)
