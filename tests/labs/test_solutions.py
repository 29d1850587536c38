"""What the source notebooks give as solutions is right: nothing is earned before, each runs, and every claim holds.

A quick suite tries one of each lab, another one every day.
"""

import re
from collections.abc import Callable

import nbformat
import pytest

from docker_tutor import paths
from docker_tutor.dev import rotation
from docker_tutor.grading.seats import Seat
from docker_tutor.grading.tasks import LABS, LabTasks, lab
from docker_tutor.grading.tickets import Secret, Ticket


def chosen() -> list[tuple[LabTasks, str]]:
    found = []
    for number in LABS:
        names = [task.name for task in lab(number).tasks]
        few = rotation.of_today(names, len(names), number) if rotation.is_quick() else names
        found += [(lab(number), name) for name in few]
    return found


@pytest.mark.parametrize(
    ("tasks", "name"),
    chosen(),
    ids=lambda value: getattr(value, "name", value),
)
def test_the_solution_of_the_source_notebook_is_right_and_an_empty_cell_earns_nothing(
    tasks: LabTasks, name: str, seat_of: Callable[[LabTasks], Seat], ticket: Ticket, secret: Secret
) -> None:
    path = paths.checkout() / "labs" / "source" / tasks.name / f"{tasks.name}.ipynb"
    cells = {cell.metadata["nbgrader"]["grade_id"]: cell.source for cell in nbformat.read(path, as_version=4).cells}
    script = re.search(r'lab\.solve\("(\w+)", r"""\n(.*)\n"""\)', cells[f"{name}-answer"], re.DOTALL)
    assert script is not None
    assert script[1] == name
    seat, task = seat_of(tasks), tasks[name]
    seat.clear()
    tasks.prepare(seat.site(), ticket, [name])
    site = seat.site(secret.hidden("tester", name))
    untouched = tasks.look(site, task, ticket, hidden=True)
    assert untouched.points == 0, untouched.text()
    ran = seat.run("%%bash\n" + tasks.values(task, ticket).fill(script[2]), within_s=120)
    outcome = tasks.look(site, task, ticket, hidden=True)
    assert not outcome.failed, f"{outcome.text()}\n{ran.status}: {ran.text}"
