"""A quick suite tries some of what is alike, others every day; a whole one tries all.

`DOCKER_TUTOR_TESTS` says which it is: `quick` (what `./course test` is by itself) or `whole` (what one part is).
"""

import datetime as dt
import os
from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeVar

__all__ = ["QUICK", "VARIABLE", "WHOLE", "is_quick", "of_other_days", "of_today", "today"]

VARIABLE = "DOCKER_TUTOR_TESTS"
QUICK, WHOLE = "quick", "whole"

Thing = TypeVar("Thing", bound=Hashable)


def is_quick() -> bool:
    """Return whether only today's share is tried."""
    return os.environ.get(VARIABLE) == QUICK


def today() -> int:
    """Return the number of the day (UTC), of which every choice is made."""
    return dt.datetime.now(dt.UTC).toordinal()


def of_today(things: Sequence[Thing], one_in: int, first: int = 0) -> list[Thing]:
    """Return one in so many of `things`, each of which has its turn within as many days.

    Where several such choices stand side by side, a `first` of each makes them different ones.
    """
    return [thing for number, thing in enumerate(things, first) if (number + today()) % one_in == 0]


def of_other_days(marked: Mapping[Thing, int]) -> Iterator[Thing]:
    """Yield the things that have no turn today, when each is one in so many of those marked alike."""
    for one_in, group in groupby(sorted(marked, key=marked.__getitem__), marked.__getitem__):
        alike = list(group)
        turns = set(of_today(alike, one_in))
        yield from (thing for thing in alike if thing not in turns)
