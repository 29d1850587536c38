"""nbgrader, unpatched, on the labs: releases are generated, and its grades are those of `docker-tutor grade`.

`docker-tutor dev grades` compares them for all labs and all of the made-up class; here it is two of lab 1's.
A quick suite generates lab 1 and one other, another one every day.
"""

import csv
import json

import nbformat
import pytest

from docker_tutor.dev import rotation
from docker_tutor.dev.courses import NbgraderCourse
from docker_tutor.engines.base import Engine
from docker_tutor.grading.classes import Finished, grade_class
from docker_tutor.grading.jobs import collect
from docker_tutor.grading.tasks import LABS, lab

CLASS = ("frances", "hedy")
"""One with some points, and one who copied."""
OTHERS = [number for number in LABS if number != 1]
GENERATED = (1, *(rotation.of_today(OTHERS, len(OTHERS)) if rotation.is_quick() else OTHERS))


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> NbgraderCourse:
    made = NbgraderCourse(tmp_path_factory.mktemp("nbgrader") / "course")
    for number in GENERATED:
        made.nbgrader("generate_assignment", f"lab{number}")
    return made


@pytest.mark.parametrize("number", GENERATED)
def test_a_release_has_neither_solutions_nor_hidden_tests(number: int, course: NbgraderCourse) -> None:
    name = f"lab{number}"
    released = nbformat.read(course.folder / "release" / name / f"{name}.ipynb", as_version=4)
    cells = {cell.metadata["nbgrader"]["grade_id"]: cell for cell in released.cells}
    everything = json.dumps(released)
    assert not [word for word in ("SOLUTION", "HIDDEN", "lab.solve", "lab.grade") if word in everything]
    for task in lab(number).tasks:
        assert cells[f"{task.name}-answer"].source.startswith("# Your answer")
        assert cells[f"{task.name}-test"].source == f'lab.check("{task.name}")'
        assert cells[f"{task.name}-test"].metadata["nbgrader"]["points"] == task.points


@pytest.mark.one_in(3)
def test_both_ways_give_the_same_grades_and_feedback_tells_no_hidden_test(
    course: NbgraderCourse, engine: Engine
) -> None:
    course.hand_in(1, only=CLASS)
    course.nbgrader("autograde", "lab1")
    course.nbgrader("export", "--to", "theirs.csv")
    course.nbgrader("generate_feedback", "lab1")
    with (course.folder / "theirs.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["assignment"] == "lab1"]
    theirs = {row["student_id"]: float(row["score"]) for row in rows}
    assert theirs == {student: sum(tasks.values()) for student, tasks in course.scores(1).items()}
    jobs = collect(course.folder / "submitted", course.secret)
    ours = {each.student: each.points for each in grade_class(jobs, Finished(course.folder / "kept"))}
    assert theirs == ours
    assert ours["hedy"] == 0  # a copied answer has another student's values
    assert 0 < ours["frances"] < sum(task.points for task in lab(1).tasks)
    page = (course.folder / "feedback" / "frances" / "lab1" / "lab1.html").read_text(encoding="utf-8")
    assert "it sees the web server" in page
    assert "/dev/zero | tail" not in page  # what the hidden check of the limits does
