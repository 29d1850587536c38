"""How long work reports how far it is, without knowing who looks.

Nothing below the command line and the notebooks prints. What may take more than two seconds takes a
`Report` and calls it; `silent` is the default. `docker_tutor.classroom` and the command line
each bring a `Report` that draws a bar.
"""

from dataclasses import dataclass
from typing import Protocol

__all__ = ["Report", "Step", "silent"]


@dataclass(frozen=True, slots=True)
class Step:
    """One sign of life: what is being done, and how much of it (in `unit`) when that is known."""

    task: str
    """What is being done, in the reader's language. The same text again means the same bar."""
    done: float = 0
    total: float | None = None
    """The amount at which it is finished; None when nobody can know."""
    unit: str = "steps"
    """`bytes`, `steps` or `seconds`."""


class Report(Protocol):
    """Takes the steps of a long piece of work."""

    def __call__(self, step: Step, /) -> None:
        """Show `step`."""


def silent(step: Step, /) -> None:
    """Show nothing."""
