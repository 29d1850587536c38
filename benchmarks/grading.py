"""Seconds for a submission: our two modes beside `nbgrader autograde` on the same ones, and with two workers at once.

nbgrader isolates nothing and grades one after the other. Ours are timed as a teacher has them, with the start of each
worker's engine; the disk that machines are copied from is there before.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.rows import Row
from docker_tutor.dev import testengine
from docker_tutor.dev.courses import NbgraderCourse
from docker_tutor.grading.classes import Finished, grade_class
from docker_tutor.grading.jobs import Job, collect
from docker_tutor.grading.seats import MODES, place
from docker_tutor.grading.tasks import lab

LAB = 1
STUDENTS = ("ada", "frances")
"""One who has everything right, and one with two mistakes."""


def rows() -> Iterator[Row]:
    """Measure on the test engine, once."""
    with testengine.running(), tempfile.TemporaryDirectory() as folder:
        course = NbgraderCourse(Path(folder) / "course")
        course.nbgrader("generate_assignment", f"lab{LAB}")
        course.hand_in(LAB, only=STUDENTS)
        with place("vm").seat(course.secret.ticket("ada"), lab(LAB).images):
            pass  # now the disk is there
        began = time.perf_counter()
        course.nbgrader("autograde", f"lab{LAB}")
        theirs_s = (time.perf_counter() - began) / len(STUDENTS)
        points = {sum(tasks.values()) for tasks in course.scores(LAB).values()}
        for mode in MODES:
            jobs = collect(course.folder / "submitted", course.secret, mode=mode)
            one_s = _seconds(jobs, 1, course.folder, points)
            yield Row(f"a submission, {mode} ÷ nbgrader autograde", theirs_s, one_s, len(jobs))
            two_s = _seconds(jobs, 2, course.folder, points)
            yield Row(f"a submission, {mode}: two workers ÷ one", one_s, two_s, len(jobs))


def _seconds(jobs: Sequence[Job], workers: int, folder: Path, points: set[float]) -> float:
    """Return the seconds for one of `jobs`, all of them graded by so many `workers`."""
    began = time.perf_counter()
    results = grade_class(jobs, Finished(folder / f"{jobs[0].mode}-{workers}"), workers=workers)
    taken_s = time.perf_counter() - began
    if {each.points for each in results} != points:
        raise RuntimeError(f"other points than nbgrader's: {[(each.student, each.points) for each in results]}")
    return taken_s / len(jobs)
