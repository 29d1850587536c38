"""The process that outlives the one that has spare engines, and takes them down when that one was killed.

Run as `python -m docker_tutor.engines.sparewatch PID`. A kernel that is killed can do nothing any more, and its engines
are no children that would end with it.
"""

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from docker_tutor.processes import Process

__all__ = ["main", "watched"]


@contextmanager
def watched() -> Iterator[None]:
    """Have this process watched for a `with` block, at the end of which it has taken its engines down itself."""
    watching = subprocess.Popen(
        [sys.executable, "-P", "-m", __name__, str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # what ends us by our group must not end it
    )
    try:
        yield
    finally:
        watching.terminate()
        watching.wait()


def main(pid: str) -> None:
    """Wait for the end of the process `pid`, then take down every spare engine whose process has gone."""
    from docker_tutor.engines.spare import remove_abandoned

    process = Process.of(int(pid))
    descriptor = process.open() if process else None
    if descriptor is not None:
        select.select([descriptor], [], [])
    remove_abandoned()


if __name__ == "__main__":
    main(*sys.argv[1:])
