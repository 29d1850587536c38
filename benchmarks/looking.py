"""Look at something again and again while something else runs."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["looking"]


@contextmanager
def looking(look: Callable[[], None], every_s: float) -> Iterator[None]:
    """Call `look`, in a thread of its own, every so many seconds during a `with` block."""
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(every_s):
            look()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
