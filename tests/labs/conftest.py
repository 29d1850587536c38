"""Seats for the labs' tests: one place for the session, and in it a seat for each lab, one after the other.

`DOCKER_TUTOR_TEST_SEATS=vm` has the answers and solutions judged in the isolated mode.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from docker_tutor.engines.base import Engine
from docker_tutor.grading.seats import Place, Seat, place
from docker_tutor.grading.tasks import LabTasks
from docker_tutor.grading.tickets import Secret, Ticket


@pytest.fixture(scope="session")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Secret:
    """Have a secret of this run's own, so that values differ from run to run."""
    return Secret.made(tmp_path_factory.mktemp("course") / "secret.txt")


@pytest.fixture(scope="session")
def ticket(secret: Secret) -> Ticket:
    """Return one student's ticket."""
    return secret.ticket("tester")


@pytest.fixture(scope="session")
def trusted(engine: Engine) -> Iterator[Place]:
    """Have a place in the trusted mode, or the one that is asked for; its engine is gone at the end."""
    found = place(os.environ.get("DOCKER_TUTOR_TEST_SEATS", "trusted"))
    yield found
    found.close()


@pytest.fixture(scope="session")
def seat_of(trusted: Place, ticket: Ticket) -> Iterator[Callable[[LabTasks], Seat]]:
    """Give the seat for a lab; that of the lab before is closed first."""
    with ExitStack() as stack:
        taken: dict[int, Seat] = {}

        def seat(lab: LabTasks) -> Seat:
            if lab.number not in taken:
                stack.close()
                taken.clear()
                taken[lab.number] = stack.enter_context(trusted.seat(ticket, lab.images))
            return taken[lab.number]

        yield seat
