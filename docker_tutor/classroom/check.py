"""A claim of the course, stated so that it can fail."""

import sys
from typing import Any, Final, Protocol, final

from docker_tutor.classroom import current, records
from docker_tutor.classroom.bars import in_kernel
from docker_tutor.classroom.expectations import Expectation, shown
from docker_tutor.classroom.lacking import reason
from docker_tutor.errors import CheckFailed
from docker_tutor.i18n import _

__all__ = ["MISSING", "Missing", "check"]


class _CellResult(Protocol):
    """What IPython tells when a cell has run."""

    success: bool


@final
class Missing:
    """The type of `MISSING`: no expected value was given."""

    def __repr__(self) -> str:
        """Be recognisable in a signature."""
        return "MISSING"


MISSING: Final = Missing()


def check(claim: str, found: object, expected: object = MISSING, *, look: str = "") -> None:
    """Hold `claim` against what was `found`; write one line if it is true, raise CheckFailed if it is not.

    Without `expected`, `found` itself must be true. With it, the two must be equal, or `found` must be
    what `between`, `at_least`, `at_most` or `approx` allow. `look` says where to look when it fails,
    preferably a command to type. The line holds no measured value, so that it is the same in every run.
    Of what is `Lacking` on this engine nothing is claimed: the line then begins with a dash.
    """
    if why := reason(found, expected):
        _note(claim, why, held=None)
        sys.stdout.write(f"– {claim}\n")
        return
    if _holds(found, expected):
        _note(claim, found, held=True)
        sys.stdout.write(f"✓ {claim}\n")
        _compare_answers()
        return
    _note(claim, found, held=False)
    raise CheckFailed(_explained(claim, found, expected, look))


def _compare_answers() -> None:
    """Tell how predictions compare: in a notebook below the cell's last check, and only if all of them hold."""
    if not current.is_waiting():
        return
    events = _cell_events()
    if events is None:
        _write_answers()
        return

    def once(result: _CellResult) -> None:
        events.unregister("post_run_cell", once)
        if result.success:
            _write_answers()

    events.register("post_run_cell", once)


def _cell_events() -> Any:
    """Return where a kernel announces the end of a cell; None outside a kernel."""
    if not in_kernel():
        return None
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return shell.events if shell is not None else None


def _write_answers() -> None:
    for line in current.answers_to_compare():
        sys.stdout.write(f"  {line}\n")


def _holds(found: object, expected: object) -> bool:
    if expected is MISSING:
        return bool(found)
    if isinstance(expected, Expectation):
        try:
            return bool(expected.holds(found))  # type: ignore[arg-type]
        except TypeError:
            return False  # None or a text where a number was expected: shown as found
    return bool(found == expected)


def _explained(claim: str, found: object, expected: object, look: str) -> str:
    wanted = _("true") if expected is MISSING else shown(expected)
    lines = [
        (_("expected"), wanted),
        (_("found"), shown(found)),
        (_("look"), look or _("run the cells above again, in order; then compare what they show with the text")),
    ]
    width = max(len(word) for word, _text in lines) + 1
    listed = "\n".join(f"  {word + ':':<{width}} {text}" for word, text in lines)
    return f"✗ {claim}\n{listed}"


def _note(claim: str, found: object, *, held: bool | None) -> None:
    room = current.room()
    if room is not None:
        records.append(records.Record(room.name, room.scope, "check", claim, held, shown(found)))
