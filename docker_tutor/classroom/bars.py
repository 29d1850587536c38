"""Progress drawn in a notebook: one output, redrawn in place, which at last becomes what is worth keeping.

A bar that stays below a cell is clutter for everyone who reads on, so a `Board` is drawn over: first with
the step being done and how much of it, finally with the result. Outside a notebook nothing is drawn.
"""

import html
import sys
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from docker_tutor.i18n import _
from docker_tutor.progress import Step
from docker_tutor.units import human_bytes, human_seconds

__all__ = ["Bar", "Board", "in_kernel"]

_WRITE: Mapping[str, Callable[[float], str]] = {"bytes": human_bytes, "seconds": human_seconds}
_EVERY_S = 0.1  # more often is work for the browser and nothing for the eye


class _Handle(Protocol):
    def update(self, obj: object, **kwargs: object) -> None:
        """Draw over the output."""


def in_kernel() -> bool:
    """Return whether this process is a notebook's kernel, with a front end that draws what it is sent."""
    if "ipykernel" not in sys.modules:
        return False
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return shell is not None and hasattr(shell, "kernel")


class Board:
    """One output of the running cell that can be drawn again and again."""

    def __init__(self) -> None:
        """Prepare; nothing is shown yet."""
        self._handle: _Handle | None = None
        self._live = in_kernel()

    def show(self, page: str, text: str) -> None:
        """Draw `page` (HTML), with `text` for those who read plain text."""
        if not self._live:
            return
        from IPython.display import display

        bundle = {"text/html": page, "text/plain": text}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(bundle, raw=True)


class Bar:
    """A `Report` that draws on a board."""

    def __init__(self, board: Board) -> None:
        """Draw on `board`."""
        self._board = board
        self._drawn_at = 0.0
        self._task = ""

    def __call__(self, step: Step, /) -> None:
        """Show `step`, unless the one before was the same task a moment ago."""
        now = time.monotonic()
        complete = step.total is not None and step.done >= step.total
        if step.task == self._task and now - self._drawn_at < _EVERY_S and not complete:
            return
        self._task, self._drawn_at = step.task, now
        amount = _amount(step)
        task = html.escape(step.task)
        value = f' value="{step.done:g}" max="{step.total:g}"' if step.total else ""
        bar = f'<progress{value} aria-label="{task}" style="width:16em;vertical-align:middle"></progress>'
        self._board.show(
            f"<div role='status'>{bar} {task} {html.escape(amount)}</div>", f"{step.task} {amount}".strip()
        )


def _amount(step: Step) -> str:
    write = _WRITE.get(step.unit, "{:g}".format)
    if step.total:
        return _("{done} of {total}").format(done=write(step.done), total=write(step.total))
    return write(step.done) if step.done else ""
