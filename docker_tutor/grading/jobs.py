"""A submission on its way to be graded: everything that is needed for it and nothing of the others.

A job is data: the student's files, the ticket, the keys of the hidden checks of this one student. Neither the course's
secret nor a gradebook nor another submission is in it.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from docker_tutor.errors import SubmissionInvalid, TicketInvalid
from docker_tutor.grading.cells import files_of
from docker_tutor.grading.tasks import LABS, lab
from docker_tutor.grading.tickets import Secret
from docker_tutor.i18n import _

__all__ = ["Job", "Limits", "collect"]

_VERSION = 1
"""Raised when grading changes so that finished results no longer hold."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long student code may take."""

    cell_s: float = 120
    submission_s: float = 600


@dataclass(frozen=True, slots=True)
class Job:
    """One submission to be graded."""

    student: str
    number: int
    ticket: str
    hidden: dict[str, str]
    """The key of each task's hidden checks."""
    files: dict[str, str]
    """What was handed in, by path, in base64."""
    mode: str = "trusted"
    limits: Limits = field(default_factory=Limits)
    trouble: str = ""
    """Why it cannot be run at all."""

    @property
    def digest(self) -> str:
        """Of all that decides its result."""
        said = [_VERSION, self.student, self.number, self.ticket, sorted(self.files.items()), self.mode]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]

    @property
    def name(self) -> str:
        """Its name in lists and of files."""
        return f"{self.student}-lab{self.number}"

    @property
    def notebook(self) -> bytes:
        """The notebook. Raises SubmissionInvalid when there is none."""
        if self.trouble:
            raise SubmissionInvalid(self.trouble)
        wanted = f"lab{self.number}.ipynb"
        if wanted not in self.files:
            raise SubmissionInvalid(_("There is no {name} in what was handed in.").format(name=wanted))
        return base64.b64decode(self.files[wanted])

    def lay_out(self, folder: Path) -> None:
        """Write the files into `folder`, the notebook left out: it is read, not opened."""
        for path, content in self.files.items():
            target = (folder / path).resolve()
            if path.endswith(".ipynb") or not target.is_relative_to(folder.resolve()):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(base64.b64decode(content))

    def to_json(self) -> str:
        """Return it as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Job":
        """Read what `to_json` wrote."""
        data = json.loads(text)
        return cls(**{**data, "limits": Limits(**data["limits"])})


def collect(
    folder: Path, secret: Secret, *, mode: str = "trusted", limits: Limits | None = None, only: int | None = None
) -> list[Job]:
    """Return a job for every submission below `folder`: `STUDENT/labN/labN.ipynb`, or `STUDENT/labN.ipynb`.

    Raises SubmissionInvalid when there is none at all.
    """
    jobs = []
    for student, number, place in _found(folder):
        if only is None or number == only:
            jobs.append(_job(student, number, place, secret, mode, limits or Limits()))
    if not jobs:
        message = _("There is nothing to grade in {folder}: it should hold STUDENT/lab1/lab1.ipynb and so on.")
        raise SubmissionInvalid(message.format(folder=folder))
    return jobs


def _found(folder: Path) -> Iterator[tuple[str, int, Path]]:
    for student in sorted(path for path in folder.iterdir() if path.is_dir()):
        for number in LABS:
            own = student / f"lab{number}"
            if own.is_dir():
                yield student.name, number, own
            elif (student / f"lab{number}.ipynb").is_file():
                yield student.name, number, student


def _job(student: str, number: int, place: Path, secret: Secret, mode: str, limits: Limits) -> Job:
    hidden = {task.name: secret.hidden(student, f"lab{number}/{task.name}") for task in lab(number).tasks}
    try:
        ticket = str(secret.ticket(student))
        files = {path: base64.b64encode(content).decode() for path, content in files_of(place).items()}
    except (SubmissionInvalid, TicketInvalid) as error:
        return Job(student, number, "", {}, {}, mode, limits, str(error))
    return Job(student, number, ticket, hidden, files, mode, limits)
