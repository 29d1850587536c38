"""The lab as its notebook sees it: `lab = open_lab(1)`, then `lab.task`, `lab.check`, `lab.hint`, and for graders more.

The same notebook runs in four situations. A student's: the classroom's room gives the daemon, the ticket beside the
notebook the values. Under `nbgrader autograde`: the same, and the values come from the course's secret and the folder
that the submission is in. Under `docker-tutor grade`: the daemon is the seat's, and what is asked here does nothing,
since it is looked at from outside. In the source notebook: `lab.solve` fills an answer with the values and runs it.
"""

import os
import subprocess
import sys
from pathlib import Path

from docker_tutor.classroom.room import Room, open_room
from docker_tutor.errors import CheckFailed, TicketInvalid
from docker_tutor.grading.draws import Values
from docker_tutor.grading.findings import Outcome
from docker_tutor.grading.site import PROBE, Site
from docker_tutor.grading.tasks import LabTasks, lab
from docker_tutor.grading.tickets import PRACTICE, Secret, Ticket
from docker_tutor.i18n import _

__all__ = ["Lab", "SeatLab", "open_lab"]

_SEAT = "DOCKER_TUTOR_SEAT"
_NBGRADER_FOLDERS = {"autograded", "submitted"}


def open_lab(number: int) -> "Lab | SeatLab":
    """Open the lab of chapter `number`: its room, its images, its files, and this student's values.

    Raises TicketInvalid, EngineError, PackageError, ImageError: one clear sentence each.
    """
    return SeatLab() if os.environ.get(_SEAT) else Lab(lab(number), Path.cwd())


class SeatLab:
    """What a submission finds in a lab's place while it is graded: nothing is looked at from in here."""

    def task(self, name: str) -> None:
        """Show nothing: nobody reads it."""

    def check(self, name: str) -> None:
        """Look at nothing: the grader does, from outside."""

    def hint(self, name: str) -> None:
        """Give no hint."""


class Lab:
    """A lab that is open in a notebook. Made by `open_lab`."""

    def __init__(self, tasks: LabTasks, folder: Path) -> None:
        """Find out whose lab it is, open the room and lay out what the tasks start from."""
        self._tasks = tasks
        self._secret = Secret.known()
        self._ticket = _whose(folder, self._secret)
        self._hints: dict[str, int] = {}
        self.room: Room = open_room(tasks.name, images=list(dict.fromkeys([PROBE, *tasks.images])))
        probe = str(self.room.client.api.inspect_image(PROBE)["Id"])
        self._site = Site(self.room.client, self.room.folder, dict(os.environ), probe=probe)
        tasks.prepare(self._site, self._ticket)

    def task(self, name: str) -> "Sheet":
        """Return what to do in task `name`, with this student's own values."""
        task = self._tasks[name]
        return Sheet(self._values(name).fill(task.sheet), self._ticket.student)

    def check(self, name: str) -> None:
        """Look at what can be looked at before handing in; raises CheckFailed when something does not hold."""
        outcome = self._tasks.look(self._site, self._tasks[name], self._ticket, hidden=False)
        if outcome.failed and self._secret is None:
            raise CheckFailed(_("{task}: not yet").format(task=name) + "\n" + outcome.text())
        if self._secret is None:
            sys.stdout.write(outcome.text() + "\n")

    def grade(self, name: str) -> float:
        """Look at everything, write what was found, and return the points: what nbgrader takes as partial credit.

        Needs the course's secret; raises TicketInvalid without it.
        """
        if self._secret is None:
            raise TicketInvalid(_("Grading needs the course's secret; `lab.check` is what you can look at yourself."))
        outcome = self._look(name, self._secret)
        sys.stdout.write(outcome.text() + "\n")
        return outcome.points

    def hint(self, name: str) -> None:
        """Write the next hint for task `name`, and those before it."""
        hints = self._tasks[name].hints
        shown = self._hints[name] = min(self._hints.get(name, 0) + 1, len(hints))
        for number, text in enumerate(hints[:shown], start=1):
            sys.stdout.write(
                _("Hint {number} of {all}: {text}").format(number=number, all=len(hints), text=text) + "\n"
            )

    def solve(self, name: str, script: str) -> None:
        """Fill the values of task `name` into a shell `script` and run it; only where the course's secret is.

        A student's notebook names values literally, since whoever copies it copies them too.
        """
        if self._secret is None:
            raise TicketInvalid(_("Solutions run where the course's secret is."))
        done = subprocess.run(
            ["bash", "-euc", self._values(name).fill(script)],
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        sys.stdout.write(done.stdout + done.stderr)

    def _look(self, name: str, secret: Secret) -> Outcome:
        site = self._site
        site.hidden = secret.hidden(self._ticket.student, f"{self._tasks.name}/{name}")
        try:
            return self._tasks.look(site, self._tasks[name], self._ticket, hidden=True)
        finally:
            site.hidden = ""

    def _values(self, name: str) -> Values:
        return self._tasks.values(self._tasks[name], self._ticket)

    def __repr__(self) -> str:
        """Say whose lab it is."""
        words = _("{lab} of {student}: {points:g} points in {tasks} tasks")
        total = sum(task.points for task in self._tasks.tasks)
        return words.format(
            lab=self._tasks.name, student=self._ticket.student, points=total, tasks=len(self._tasks.tasks)
        )


class Sheet:
    """What a student has to do, to be read."""

    def __init__(self, text: str, student: str) -> None:
        """Hold the text, made for `student`."""
        self._text = text
        self._student = student

    def _repr_markdown_(self) -> str:
        return _("*For {student}.*").format(student=self._student) + "\n\n" + self._text

    def __repr__(self) -> str:
        """Return the same as plain text."""
        return self._text


def _whose(folder: Path, secret: Secret | None) -> Ticket:
    """Return the ticket that counts: the folder owner's where the secret is, else the one that lies there."""
    if secret is not None:
        if folder.parent.parent.name in _NBGRADER_FOLDERS:
            return secret.ticket(folder.parent.name)
        return secret.ticket(PRACTICE.student)
    return Ticket.read(folder) or PRACTICE
