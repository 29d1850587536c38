"""How long until Docker answers in a machine on QEMU: by a boot, from the state that `down` saved, and outside of it.

Needs Linux and root, as the private engine does.
"""

import time
from collections.abc import Iterator
from functools import partial

from benchmarks.engine import instance
from benchmarks.rows import Row, side_by_side
from docker_tutor.engines.base import Engine
from docker_tutor.engines.vm import saved
from docker_tutor.engines.vm.engine import VmEngine

RUNS = 3


def rows() -> Iterator[Row]:
    """Measure; everything has been fetched and made before."""
    with instance("benchq", "qemu") as machine, instance("bench", "private") as private:
        for engine in (machine, private):
            engine.up()
        yield side_by_side(
            "QEMU: up from a saved state ÷ up by a boot",
            partial(_up_again, machine, saving=False),
            partial(_up_again, machine),
            runs=RUNS,
            at_most=0.1,
        )
        yield side_by_side(
            "QEMU from a saved state ÷ private engine, started again",
            partial(_up_again, private),
            partial(_up_again, machine),
            runs=RUNS,
        )


def _up_again(engine: Engine, *, saving: bool = True) -> float:
    engine.down()
    if not saving and isinstance(engine, VmEngine):
        saved.forget(engine.layout)
    began = time.perf_counter()
    engine.up()
    return time.perf_counter() - began
