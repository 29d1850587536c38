"""Every answer of the catalogue is judged rightly: no claim of a right one fails, and of a wrong one those that should.

A quick suite tries some of them, others every day; `DOCKER_TUTOR_TESTS=pairs` a right and a wrong one to each task.
"""

import os
from collections.abc import Callable

import pytest

from docker_tutor.dev import rotation
from docker_tutor.grading.answers import Answer, answers
from docker_tutor.grading.seats import Seat
from docker_tutor.grading.tasks import LABS, LabTasks, lab
from docker_tutor.grading.tickets import Secret, Ticket

LAB_TASKS = [(lab(number), task.name) for number in LABS for task in lab(number).tasks]
PAIRS = "pairs"
ANSWERS = [(tasks, answer) for tasks, task in LAB_TASKS for answer in answers(tasks, task)]


def chosen() -> list[tuple[LabTasks, Answer]]:
    if os.environ.get(rotation.VARIABLE) != PAIRS:
        return ANSWERS
    few = []
    for number, (tasks, task) in enumerate(LAB_TASKS):
        for kind in (True, False):
            known = [answer for answer in answers(tasks, task) if answer.right is kind]
            few += [(tasks, answer) for answer in rotation.of_today(known, len(known), number)]
    return few


@pytest.mark.parametrize(("tasks", "task"), LAB_TASKS, ids=lambda value: getattr(value, "name", value))
def test_the_catalogue_has_three_ways_and_six_mistakes_at_least(tasks: LabTasks, task: str) -> None:
    known = answers(tasks, task)
    assert sum(each.right for each in known) >= 3
    assert sum(not each.right for each in known) >= 6
    assert len({each.words for each in known}) == len(known)
    assert all(set(each.fails) <= {claim.key for claim in tasks[task].claims} for each in known)
    assert all(each.fails for each in known if not each.right)


@pytest.mark.one_in(22)
@pytest.mark.parametrize(("tasks", "answer"), chosen(), ids=[f"{tasks.name}: {answer}" for tasks, answer in chosen()])
def test_an_answer_is_judged_rightly(
    tasks: LabTasks, answer: Answer, seat_of: Callable[[LabTasks], Seat], ticket: Ticket, secret: Secret
) -> None:
    task = tasks[answer.task]
    seat = seat_of(tasks)
    seat.clear()
    tasks.prepare(seat.site(), ticket, [task.name])
    ran = seat.run(tasks.values(task, ticket).fill(answer.cell), within_s=120)
    hidden = secret.hidden(ticket.student, f"{tasks.name}/{task.name}")
    outcome = tasks.look(seat.site(hidden), task, ticket, hidden=True)
    assert set(outcome.failed) == set(answer.fails), f"{outcome.text()}\n{ran.status}: {ran.text}"
