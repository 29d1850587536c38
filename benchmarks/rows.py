"""One line of the table, and how two ways of doing the same thing are measured side by side."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from docker_tutor.units import human_seconds

__all__ = ["Row", "side_by_side"]


@dataclass(frozen=True, slots=True)
class Row:
    """Ours and the plain way, in seconds, and the ratio that was aimed at."""

    what: str
    plain_s: float
    ours_s: float
    runs: int
    at_most: float | None = None
    """The goal for ours ÷ plain; None when there is none."""
    at_most_more_s: float | None = None
    """The goal for ours − plain; None when there is none."""
    shown: Callable[[float], str] = human_seconds
    """How either is written; with another, they are not seconds."""

    @property
    def ratio(self) -> float:
        """Ours ÷ plain."""
        return self.ours_s / self.plain_s

    @property
    def met(self) -> bool:
        """Whether the goals are met, or there are none."""
        more_s = self.ours_s - self.plain_s
        by_ratio = self.at_most is None or self.ratio <= self.at_most
        return by_ratio and (self.at_most_more_s is None or more_s <= self.at_most_more_s)

    @property
    def goal(self) -> str:
        """The goals in words; empty when there are none."""
        goals = [f"≤ {self.at_most:g}"] if self.at_most is not None else []
        goals += [f"≤ {human_seconds(self.at_most_more_s)} more"] if self.at_most_more_s is not None else []
        return ", ".join(goals)


def side_by_side(
    what: str, plain: Callable[[], object], ours: Callable[[], object], *, runs: int, at_most: float | None = None
) -> Row:
    """Do both in turn, after one turn that warms up, and compare the medians.

    Who goes first alternates, so that what one leaves warm helps both. What `plain` or `ours` returns is taken for
    the measured seconds if it is a float; otherwise the call itself is timed.
    """
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(runs + 1):
        for index in (0, 1) if turn % 2 else (1, 0):
            seconds = _timed((plain, ours)[index])
            if turn:
                taken[index].append(seconds)
    return Row(what, statistics.median(taken[0]), statistics.median(taken[1]), runs, at_most)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    result = work()
    return result if isinstance(result, float) else time.perf_counter() - began
