"""CPU weights: several containers that want the same CPU, and how the kernel divides it."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import pandas as pd
from docker.models.containers import Container

from docker_tutor.classroom.room import Room
from docker_tutor.errors import CapabilityMissing
from docker_tutor.i18n import _
from docker_tutor.topics.cgroups_cpu import samples
from docker_tutor.topics.cgroups_observer import kept, observing

__all__ = ["CpuShare", "CpuShares", "cpu_shares"]

_SPIN = """
while True:
    pass
"""


@dataclass(frozen=True, slots=True)
class CpuShare:
    """One of the containers that want the same CPU."""

    asked_shares: int
    """What `--cpu-shares` asked for."""
    weight: int
    """Read back: `cpu.shares` in version 1, `cpu.weight` in version 2."""
    used_s: float
    """CPU time it got while all were watched."""
    usage: tuple[tuple[float, float], ...]
    """Seconds since the start, and CPU time used by then."""


@dataclass(frozen=True, slots=True)
class CpuShares:
    """How one CPU was divided."""

    cgroup_version: int
    cpu: str
    """The CPU they were all kept on, as `--cpuset-cpus` names it; empty when the engine has one only."""
    containers: tuple[CpuShare, ...]

    def measured(self, place: int) -> float:
        """Return the part, 0 to 1, of the divided CPU time that container `place` got."""
        return self.containers[place].used_s / sum(one.used_s for one in self.containers)

    def expected(self, place: int) -> float:
        """Return the part that the weights read back promise it."""
        return self.containers[place].weight / sum(one.weight for one in self.containers)

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each container; parts in per cent."""
        places = range(len(self.containers))
        columns = {
            _("asked: --cpu-shares"): [one.asked_shares for one in self.containers],
            _("weight read back"): [one.weight for one in self.containers],
            _("promised in %"): [round(100 * self.expected(place), 1) for place in places],
            _("measured in %"): [round(100 * self.measured(place), 1) for place in places],
            _("CPU time in s"): [round(one.used_s, 3) for one in self.containers],
        }
        return pd.DataFrame(columns)


def cpu_shares(room: Room, *, shares: Sequence[int] = (1024, 512), seconds: float = 2.0) -> CpuShares:
    """Let one container for each of `shares` spin, all on one CPU, and measure what each gets over `seconds`.

    Raises CapabilityMissing when the engine ignores weights, or has several CPUs and cannot keep containers on one.
    Source: Documentation/scheduler/sched-design-CFS.rst in the kernel.
    """
    room.require("limits")
    settings = _on_one_cpu(room)
    containers: dict[str, Container] = {}
    with ExitStack() as stack:
        for place, asked in enumerate(shares):
            spinner = kept(room, f"share{place}", _SPIN, cpu_shares=asked, **settings)
            containers[str(place)] = stack.enter_context(spinner)
        for container in containers.values():
            container.start()
        quantities = ("cpu.usage", "cpu.stat", "cpu.weight")
        watcher = stack.enter_context(observing(room, containers, quantities, for_s=seconds, interval_s=0.05))
        seen = watcher.result()
    found = []
    for name, asked in zip(containers, shares, strict=True):
        readings = seen.readings[name]
        usage = tuple((sample.time_s, sample.used_s) for sample in samples(readings))
        weight = readings[-1].number("cpu.weight") or 0
        found.append(CpuShare(asked, weight, usage[-1][1], usage))
    return CpuShares(seen.cgroup_version, settings.get("cpuset_cpus", ""), tuple(found))


def _on_one_cpu(room: Room) -> dict[str, str]:
    about = room.client.info()
    if about.get("CPUSet"):
        return {"cpuset_cpus": "0"}
    if about["NCPU"] == 1:
        return {}
    raise CapabilityMissing(
        _(
            "This engine has {count} CPUs and cannot keep a container on one of them: its kernel has no cpuset "
            "controller. Use an engine with one CPU, or with cpusets, to see shares at work."
        ).format(count=about["NCPU"])
    )
