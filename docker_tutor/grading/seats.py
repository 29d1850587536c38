"""Where a submission is run: an exchangeable part.

A *place* gives seats; a *seat* is for one submission and is gone after it. Student code reaches the seat's daemon and
its folder, the grader reaches both from outside and runs nothing of its own inside the student's process: what a cell
prints, defines or overwrites is never a grade. How much a seat keeps student code from the rest of the machine is the
place's affair, and `Place.isolation` says it in one sentence.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from docker_tutor.errors import SeatFailed
from docker_tutor.grading.site import Site
from docker_tutor.grading.tickets import Ticket
from docker_tutor.i18n import _
from docker_tutor.progress import Report, silent

__all__ = ["MODES", "Place", "Ran", "Seat", "place"]


@dataclass(frozen=True, slots=True)
class Ran:
    """How a cell went."""

    status: Literal["ok", "error", "late", "died"]
    """`late`: it had not ended in time and was interrupted; `died`: the process that runs cells is gone."""
    text: str
    """The end of what it wrote."""


class Seat(Protocol):
    """One submission's place: a daemon, a folder, a process that runs cells."""

    def site(self, hidden: str = "") -> Site:
        """Return where checks look; `hidden` is the key of the hidden ones."""

    def run(self, source: str, within_s: float) -> Ran:
        """Run a cell of the student's; never raises for what the cell does."""

    def clear(self) -> None:
        """Remove what was made on the daemon and in the folder: for answers that are tried one after the other."""


class Place(Protocol):
    """What gives seats, one after the other. Closed by whoever opened it."""

    isolates: bool
    """Whether hostile code is contained."""
    isolation: str
    """The same in one sentence, for the person who grades."""

    def seat(self, ticket: Ticket, images: Sequence[str], files: Path | None = None) -> AbstractContextManager[Seat]:
        """Give a fresh seat with `images` on its daemon and a copy of `files` in its folder. Raises SeatFailed."""

    def close(self) -> None:
        """Give back whatever the place holds. May be called again."""


def _trusted(report: Report) -> Place:
    from docker_tutor.grading.trusted import TrustedPlace

    return TrustedPlace(report)


def _vm(report: Report) -> Place:
    from docker_tutor.grading.isolated import IsolatedPlace

    return IsolatedPlace(report)


MODES: dict[str, Callable[[Report], Place]] = {"trusted": _trusted, "vm": _vm}
"""How to make each kind of place; imported only when it is wanted."""


def place(mode: str, report: Report = silent) -> Place:
    """Return a place of the kind `mode`; nothing is started before its first seat. Raises SeatFailed."""
    if mode not in MODES:
        raise SeatFailed(_("There is no mode {mode!r}: {modes}.").format(mode=mode, modes=", ".join(MODES)))
    return MODES[mode](report)
