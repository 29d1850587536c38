"""What a measured value may be, said in words: `between(1.8, 2.2)`, `at_least(3)`, `approx(0.5)`."""

from collections.abc import Callable
from dataclasses import dataclass

from docker_tutor.i18n import _
from docker_tutor.units import MiB, human_bytes

__all__ = ["Expectation", "approx", "at_least", "at_most", "between", "shown"]


@dataclass(frozen=True, slots=True)
class Expectation:
    """A set of values that are all right, and the words for it."""

    words: str
    """How a person says it, for example `between 1.8 and 2.2`."""
    holds: Callable[[float], bool]
    """Whether a value is one of them."""


def between(lowest: float, highest: float) -> Expectation:
    """Expect a value from `lowest` to `highest`, both included. Raises ValueError if that is an empty range."""
    if lowest > highest:
        raise ValueError(f"between({lowest}, {highest}) can never hold: the lower bound comes first")
    words = _("between {low} and {high}").format(low=shown(lowest), high=shown(highest))
    return Expectation(words, lambda value: lowest <= value <= highest)


def at_least(lowest: float) -> Expectation:
    """Expect `lowest` or more."""
    return Expectation(_("at least {low}").format(low=shown(lowest)), lambda value: value >= lowest)


def at_most(highest: float) -> Expectation:
    """Expect `highest` or less."""
    return Expectation(_("at most {high}").format(high=shown(highest)), lambda value: value <= highest)


def approx(target: float, *, within: float = 0.1) -> Expectation:
    """Expect `target`, give or take `within` of it (a fraction: 0.1 is ten per cent). Raises ValueError below 0."""
    if within < 0:
        raise ValueError(f"approx(within={within}) can never hold: give a fraction of the target, such as 0.1")
    words = _("{target}, give or take {percent:g} %").format(target=shown(target), percent=within * 100)
    margin = abs(target) * within * (1 + 1e-9)  # the bounds themselves hold, however 0.1 is rounded
    return Expectation(words, lambda value: abs(value - target) <= margin)


def shown(value: object) -> str:
    """Write a value as a check shows it: whole mebibytes also as such, long values cut to 400 characters."""
    if isinstance(value, Expectation):
        return value.words
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, int) and not isinstance(value, bool) and value >= MiB and value % MiB == 0:
        return f"{value} ({human_bytes(value)})"
    text = value if isinstance(value, str) and "\n" in value else repr(value)
    return text if len(text) <= 400 else f"{text[:400]} …"
