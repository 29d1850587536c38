"""Which room this process is in, and which predictions wait for their answer.

The one piece of global state of the classroom: a notebook's `check` and `predict` belong to the room that
the notebook opened, without naming it every time.
"""

from typing import Protocol

__all__ = ["Answerable", "Place", "answers_to_compare", "await_answer", "enter", "is_waiting", "leave", "room"]


class Place(Protocol):
    """What the rest of the classroom needs to know of a room."""

    @property
    def name(self) -> str:
        """The notebook's name."""

    @property
    def scope(self) -> str:
        """The scope's id."""


class Answerable(Protocol):
    """A question that was asked and can be compared with what turned out."""

    def turned_out(self) -> str | None:
        """Say how the answer compares, and remember that the truth is known; None if there is no answer."""


_rooms: list[Place] = []
_asked: list[Answerable] = []


def room() -> Place | None:
    """Return the room that is open in this process, if there is one."""
    return _rooms[-1] if _rooms else None


def enter(place: Place) -> None:
    """Make `place` the room of this process."""
    _rooms[:] = [place]
    _asked.clear()


def leave(place: Place) -> None:
    """Leave `place`, if it is the room of this process."""
    if place in _rooms:
        _rooms.remove(place)
        _asked.clear()


def await_answer(question: Answerable) -> None:
    """Remember a question until the next check."""
    _asked.append(question)


def is_waiting() -> bool:
    """Return whether a question has been asked since the last comparison."""
    return bool(_asked)


def answers_to_compare() -> list[str]:
    """Tell every question asked since the last time that the truth is out; return the lines worth showing."""
    asked, _asked[:] = list(_asked), []
    return [line for line in (question.turned_out() for question in asked) if line]
