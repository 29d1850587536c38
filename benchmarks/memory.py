"""How much memory an engine takes at most while something runs on it.

That is what its processes have resident, those in containers among them; pages that several share are divided among
them (`man 5 proc`, Pss). A virtual machine keeps in it also what the private engine leaves to this machine's kernel:
what the guest's own kernel needs, and the files that it has read.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil

from benchmarks.looking import looking
from docker_tutor.engines.base import Engine
from docker_tutor.engines.private import stopping
from docker_tutor.engines.private.engine import PrivateEngine
from docker_tutor.engines.vm.engine import VmEngine
from docker_tutor.engines.vm.stopping import processes

LOOK_EVERY_S = 0.25


@dataclass
class Peak:
    """The most that was seen."""

    resident_bytes: int = 0


@contextmanager
def watched(engine: Engine) -> Iterator[Peak]:
    """Look at the engine again and again during a `with` block."""
    peak = Peak()

    def look() -> None:
        peak.resident_bytes = max(peak.resident_bytes, _resident(_pids(engine)))

    with looking(look, LOOK_EVERY_S):
        yield peak


def _pids(engine: Engine) -> list[int]:
    if isinstance(engine, PrivateEngine):
        return [process.pid for process in stopping.processes(engine.layout)]
    if isinstance(engine, VmEngine):
        return [process.pid for process in processes(engine.layout)]
    raise TypeError(f"nobody knows the processes of {engine.kind}")


def _resident(pids: Iterable[int]) -> int:
    total = 0
    for pid in pids:
        with suppress(psutil.Error):  # it may end while it is looked at
            total += psutil.Process(pid).memory_full_info().pss
    return total
