"""Who a student is to the course: an id, and a key derived from it with the course's secret.

A ticket is one line, `ID.KEY`, given to the student with the lab. From the key follow the values of every task, so that
a copied answer has another student's values. The grader never believes a ticket that was handed in: it derives the key
anew from the id under which the submission arrived. HMAC is that of RFC 2104, with SHA-256.
"""

import hmac
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from docker_tutor.errors import TicketInvalid
from docker_tutor.i18n import _

__all__ = ["PRACTICE", "SECRET_VARIABLE", "TICKET_FILE", "Secret", "Ticket"]

SECRET_VARIABLE = "DOCKER_TUTOR_SECRET_FILE"  # noqa: S105 - the name of a variable, not a secret
"""Names the file with the course's secret; set where grading happens, and nowhere else."""
TICKET_FILE = "ticket.txt"
_KEY_DIGITS = 16
_STUDENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_@+-]{0,63}")


@dataclass(frozen=True, slots=True)
class Ticket:
    """A student's id and the key from which values are drawn."""

    student: str
    key: str

    @classmethod
    def parse(cls, text: str) -> "Ticket":
        """Read `ID.KEY`. Raises TicketInvalid when it is not of that form."""
        student, _dot, key = text.strip().partition(".")
        if not _STUDENT.fullmatch(student) or not re.fullmatch(rf"[0-9a-f]{{{_KEY_DIGITS}}}", key):
            raise TicketInvalid(_("This is no ticket: {text}. It looks like `ada.0123456789abcdef`.").format(text=text))
        return cls(student, key)

    @classmethod
    def read(cls, folder: Path) -> "Ticket | None":
        """Return the ticket that lies in `folder` or the one above it; None when there is none."""
        for place in (folder, folder.parent):
            if (place / TICKET_FILE).is_file():
                return cls.parse((place / TICKET_FILE).read_text(encoding="utf-8"))
        return None

    def __str__(self) -> str:
        """Return the line that a student is given."""
        return f"{self.student}.{self.key}"


PRACTICE = Ticket("practice", "0" * _KEY_DIGITS)
"""For whoever works through a lab without being in a class."""


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """The course's secret; its bytes are in no repr, no message and no result."""

    _bytes: bytes

    @classmethod
    def made(cls, path: Path) -> "Secret":
        """Return the secret in `path`; if there is no such file, make one that its owner alone can read."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32) + "\n")
        return cls.read(path)

    @classmethod
    def read(cls, path: Path) -> "Secret":
        """Read the secret. Raises TicketInvalid when there is none, or too little of it."""
        try:
            content = path.read_bytes().strip()
        except OSError as error:
            raise TicketInvalid(_("The course's secret cannot be read from {path}.").format(path=path)) from error
        if len(content) < 16:
            raise TicketInvalid(_("The secret in {path} is shorter than 16 characters.").format(path=path))
        return cls(content)

    @classmethod
    def known(cls) -> "Secret | None":
        """Return the secret that `DOCKER_TUTOR_SECRET_FILE` names; None where the variable is not set."""
        named = os.environ.get(SECRET_VARIABLE)
        return cls.read(Path(named)) if named else None

    def ticket(self, student: str) -> Ticket:
        """Return the ticket of `student`. Raises TicketInvalid when that cannot be an id."""
        if not _STUDENT.fullmatch(student):
            message = _("{student!r} cannot be a student's id: letters, digits and - _ @ + only.")
            raise TicketInvalid(message.format(student=student))
        return Ticket(student, self._derived(f"ticket:{student}"))

    def hidden(self, student: str, task: str) -> str:
        """Return a key that the student cannot know, for what a hidden check asks of `task`."""
        return self._derived(f"hidden:{student}:{task}")

    def _derived(self, words: str) -> str:
        return hmac.new(self._bytes, words.encode(), "sha256").hexdigest()[:_KEY_DIGITS]
