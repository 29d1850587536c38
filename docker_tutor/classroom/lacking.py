"""What stands in the place of a result where the engine lacks what the demonstration needs: one sentence.

::

    one_run = attempt(life.run, room)              # a `Life`, or what is lacking
    one_run and plots.life_of_a_run(one_run)       # the picture, or the sentence
    check("it ran", one_run.duration_us, at_least(1))     # held, or said to be untried

Whatever is asked of it (an attribute, an item, a sum, a comparison) is lacking for the same reason, so that the cells
that follow need no second way through them; `check` says of such a claim that it was not tried here.
"""

from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar, final

from docker_tutor.errors import CapabilityMissing

__all__ = ["Lacking", "attempt", "reason"]

P = ParamSpec("P")
R = TypeVar("R")


@final
class Lacking:
    """No result, and why. It counts as false."""

    def __init__(self, sentence: str) -> None:
        """Remember `sentence`: what is missing and how to get it."""
        self._sentence = sentence

    def __repr__(self) -> str:
        """Return the sentence, which is what a cell then shows."""
        return self._sentence

    def __format__(self, _specification: str) -> str:
        """Be nothing in a typed command (`%%bash -s {pair.hosts}`): a shell would take the sentence's words apart."""
        return ""

    def __bool__(self) -> bool:
        """Be false: `result and picture(result)` is the sentence."""
        return False

    def __getattr__(self, name: str) -> "Lacking":
        """Lack every attribute of a result for the same reason; but be no picture, no table and no iterator."""
        if name.startswith("_"):
            raise AttributeError(name)
        return self

    def __call__(self, *_arguments: object, **_named: object) -> "Lacking":
        """Be what a method would have returned."""
        return self

    def __getitem__(self, _key: object) -> "Lacking":
        """Be what stands there."""
        return self

    def __iter__(self) -> Iterator["Lacking"]:
        """Be a list of one thing that is lacking: `next(…)` finds it."""
        return iter((self,))

    def _same(self, _other: object) -> "Lacking":
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _same
    __lt__ = __le__ = __gt__ = __ge__ = _same

    def __eq__(self, other: object) -> bool:
        """Be equal to nothing but itself."""
        return self is other

    def __hash__(self) -> int:
        """Be fit for a set."""
        return id(self)


def attempt(demonstrate: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> Any:
    """Return what `demonstrate` returns, or a `Lacking` where the engine lacks what it needs."""
    try:
        return demonstrate(*arguments, **named)
    except CapabilityMissing as missing:
        return Lacking(str(missing))


def reason(*values: object) -> str:
    """Return why one of `values`, or something in one of them, is lacking; empty when nothing is."""
    for value in values:
        parts = value if isinstance(value, list | tuple | set | frozenset) else (value,)
        for part in parts:
            if isinstance(part, Lacking):
                return repr(part)
    return ""
