"""A task: its values, its claims, and how it is looked at. `lab(3)` gives those of chapter 3."""

import importlib
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from docker.errors import DockerException
from requests.exceptions import RequestException

from docker_tutor.errors import DockerTutorError, GradingError
from docker_tutor.grading.draws import Draw, Values
from docker_tutor.grading.findings import Claim, Found, Outcome, points
from docker_tutor.grading.site import Site
from docker_tutor.grading.tickets import Ticket
from docker_tutor.i18n import _

__all__ = ["LABS", "LabTasks", "Task", "lab"]

LABS = range(1, 8)
"""The numbers of the labs: one for each chapter."""


@dataclass(frozen=True, slots=True)
class Task:
    """One graded task."""

    name: str
    claims: tuple[Claim, ...]
    values: Callable[[Draw], Mapping[str, Any]]
    look: Callable[[Site, Values], Iterator[Found]]
    """Looks at the daemon and yields what it finds; ends early where the rest would make no sense."""
    sheet: str
    """What to do, with `«name»` where the student's own values go."""
    hints: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    """Files that the student starts from, by path; `«name»` as in the sheet."""
    prepare: Callable[[Site, Values], None] | None = None
    """Brings about on the daemon what the student starts from."""

    @property
    def points(self) -> float:
        """The points of all its claims."""
        return points(claim.points for claim in self.claims)


@dataclass(frozen=True, slots=True)
class LabTasks:
    """The tasks of one lab."""

    number: int
    tasks: tuple[Task, ...]
    images: tuple[str, ...]
    """What has to be on the engine before a student begins."""

    @property
    def name(self) -> str:
        """The lab's name, which is that of its notebook and of nbgrader's assignment."""
        return f"lab{self.number}"

    def __getitem__(self, name: str) -> Task:
        for task in self.tasks:
            if task.name == name:
                return task
        names = ", ".join(task.name for task in self.tasks)
        raise GradingError(_("{lab} has no task {name!r}: {names}.").format(lab=self.name, name=name, names=names))

    def values(self, task: Task, ticket: Ticket) -> Values:
        """Return the values of `task` for the student with that ticket."""
        return Values(task.values(Draw(ticket.key, f"{self.name}/{task.name}")))

    def prepare(self, site: Site, ticket: Ticket, only: Sequence[str] = ()) -> None:
        """Lay out what students start from: files in the site's folder, objects on its daemon."""
        for task in self.tasks:
            if only and task.name not in only:
                continue
            me = self.values(task, ticket)
            for path, text in task.files.items():
                site.write(me.fill(path), me.fill(text))
            if task.prepare is not None:
                task.prepare(site, me)

    def look(self, site: Site, task: Task, ticket: Ticket, *, hidden: bool) -> Outcome:
        """Look at one task and return what was found; never raises for what a student has done."""
        me = self.values(task, ticket)
        wanted = {claim.key for claim in task.claims if hidden or not claim.hidden}
        seen: dict[str, Found] = {}
        try:
            for found in task.look(site, me):
                seen[found.key] = found
                if wanted <= seen.keys():
                    break
        except (DockerTutorError, DockerException, RequestException, subprocess.SubprocessError, OSError) as error:
            # A daemon that was killed, a container that was removed meanwhile, a command that never ends.
            self._broke(task, seen, error)
        except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
            # What an answer left is not of the form that a check reads: the answer's fault, and its points.
            self._broke(task, seen, error)
        return Outcome.of(task.name, task.claims, seen, hidden=hidden)

    @staticmethod
    def _broke(task: Task, seen: dict[str, Found], error: Exception) -> None:
        missing = next((claim.key for claim in task.claims if claim.key not in seen), None)
        if missing:
            words = _("it could not be looked at ({kind}: {error})")
            seen[missing] = Found(missing, held=False, found=words.format(kind=type(error).__name__, error=error))


def lab(number: int) -> LabTasks:
    """Return the tasks of lab `number`. Raises GradingError when there is no such lab."""
    if number not in LABS:
        raise GradingError(_("There is no lab {number}.").format(number=number))
    found: LabTasks = importlib.import_module(f"docker_tutor.grading.labs.lab{number}").LAB
    return found
