"""Waiting for what nobody announces: the end of a process that is no child, a file that another process replaces."""

import time
from collections.abc import Callable

__all__ = ["until"]

LOOKS_EVERY_S = 0.02


def until(happened: Callable[[], object], within_s: float = 20) -> bool:
    """Look again and again; return whether it has happened within that time."""
    deadline = time.monotonic() + within_s
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOKS_EVERY_S)
    return True
