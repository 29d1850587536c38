"""One submission: its cells are run in a seat, and each task is looked at from outside, where its test stands."""

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from docker.errors import DockerException
from requests.exceptions import RequestException

from docker_tutor.errors import SeatFailed, SubmissionInvalid
from docker_tutor.grading.cells import Step, steps
from docker_tutor.grading.findings import Outcome
from docker_tutor.grading.jobs import Job
from docker_tutor.grading.results import Result, Trouble
from docker_tutor.grading.seats import Place, Seat
from docker_tutor.grading.tasks import LabTasks, lab
from docker_tutor.grading.tickets import Ticket
from docker_tutor.i18n import _

__all__ = ["grade"]

_TAIL = 400


def grade(job: Job, place: Place) -> Result:
    """Grade one submission. Never raises for what the student did; raises SeatFailed and what the place raises."""
    began = time.monotonic()
    tasks = lab(job.number)
    try:
        todo = steps(job.notebook, tasks)
    except SubmissionInvalid as error:
        return Result.nothing(job.student, job.number, str(error), mode=job.mode, digest=job.digest)
    ticket = Ticket.parse(job.ticket)
    with tempfile.TemporaryDirectory(prefix="docker-tutor-job-") as folder:
        job.lay_out(Path(folder))
        with ExitStack() as stack:
            try:
                seat = stack.enter_context(place.seat(ticket, tasks.images, Path(folder)))
                tasks.prepare(seat.site(), ticket)
            except (DockerException, RequestException, OSError) as error:
                # Nothing of the student's has run yet: it is the place's failure, and nobody's points.
                raise SeatFailed(_("There is no place to grade in: {error}").format(error=error)) from error
            outcomes, troubles, late = _carried_out(todo, seat, tasks, job, ticket)
    return Result(
        student=job.student,
        lab=tasks.name,
        status="late" if late else "graded",
        note=_("Its time ran out after {seconds:g} s.").format(seconds=job.limits.submission_s) if late else "",
        seconds=round(time.monotonic() - began, 2),
        outcomes=tuple(outcomes[task.name] for task in tasks.tasks),
        troubles=tuple(troubles),
        mode=job.mode,
        digest=job.digest,
    )


def _carried_out(
    todo: list[Step], seat: Seat, tasks: LabTasks, job: Job, ticket: Ticket
) -> tuple[dict[str, Outcome], list[Trouble], bool]:
    deadline = time.monotonic() + job.limits.submission_s
    outcomes: dict[str, Outcome] = {}
    troubles: list[Trouble] = []
    number = 0
    late = False
    for step in todo:
        if step.kind == "look":
            # Also when time is up: what was reached before counts, and a look has limits of its own.
            site = seat.site(job.hidden[step.text])
            outcomes[step.text] = tasks.look(site, tasks[step.text], ticket, hidden=True)
            continue
        number += 1
        left = deadline - time.monotonic()
        if left <= 0:
            late = True
            continue
        ran = seat.run(step.text, min(job.limits.cell_s, left))
        if ran.status != "ok":
            troubles.append(Trouble(number, ran.status, ran.text[-_TAIL:]))
    return outcomes, troubles, late
