"""CPU time: spinning containers under a quota, period by period, and what that does to a small request."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd
from docker.models.containers import Container

from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _
from docker_tutor.topics import _cgroupfs
from docker_tutor.topics.cgroups_observer import Observation, Reading, Reply, kept, observing

__all__ = ["CpuLane", "CpuQuota", "CpuSample", "Span", "cpu_quota"]

NANO = 1_000_000_000
FIRST_PORT = 7001

_SPIN_AND_ANSWER = """
import socket, sys
service = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
service.bind(("127.0.0.1", int(sys.argv[1])))
service.setblocking(False)
while True:
    for _ in range(1000):
        pass
    try:
        request, sender = service.recvfrom(64)
    except BlockingIOError:
        continue
    service.sendto(request, sender)
"""


@dataclass(frozen=True, slots=True)
class CpuSample:
    """What the kernel had counted for a container at one moment."""

    time_s: float
    used_s: float
    """CPU time used since the first sample."""
    periods: int
    """Periods since the first sample."""
    throttled_periods: int
    """Those of them in which the quota ran out."""
    throttled_s: float
    """Time it was kept waiting since the first sample, added up over CPUs; the kernel adds it when a wait ends."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in which a container was kept waiting."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class CpuLane:
    """One container that wants all of a CPU."""

    name: str
    asked_cpus: float | None
    """What `--cpus` asked for; None: nothing."""
    quota_us: int | None
    """Read back from the control group; None: no quota in force."""
    period_us: int
    samples: tuple[CpuSample, ...]
    replies: tuple[Reply, ...]
    """A small request every few milliseconds to a service in the same container."""

    @property
    def seconds(self) -> float:
        """How long it was watched."""
        return self.samples[-1].time_s - self.samples[0].time_s

    @property
    def used_cpus(self) -> float:
        """CPU time used for each second that passed."""
        return self.samples[-1].used_s / self.seconds

    @property
    def periods(self) -> int:
        """Periods that passed while it was watched."""
        return self.samples[-1].periods

    @property
    def throttled_periods(self) -> int:
        """Periods in which its quota ran out while it was watched."""
        return self.samples[-1].throttled_periods

    @property
    def throttled_s(self) -> float:
        """Time it was kept waiting while it was watched, added up over CPUs."""
        return self.samples[-1].throttled_s

    def latency_s(self, fraction: float) -> float:
        """Return the latency that `fraction` of the requests did not exceed: 0.5 is the median. No reply: infinite."""
        ordered = sorted(reply.latency_s for reply in self.replies)
        if not ordered:
            return float("inf")
        return ordered[min(len(ordered) - 1, int(fraction * len(ordered)))]

    @property
    def throttled(self) -> tuple[Span, ...]:
        """The waits: each step of the throttled time in `cpu.stat` says how long the wait was that has then ended.

        The kernel adds the waits on all CPUs up, so a span begins no earlier than the container last ran.
        """
        spans, ran_until = [], 0.0
        for one, two in pairwise(self.samples):
            if two.throttled_s > one.throttled_s:
                waited = two.throttled_s - one.throttled_s
                spans.append(Span(min(max(two.time_s - waited, ran_until), one.time_s), two.time_s))
            if two.used_s - one.used_s > 0.5 * (two.time_s - one.time_s):
                ran_until = one.time_s
        return tuple(spans)

    @property
    def answered_in_a_wait(self) -> int:
        """Requests that were sent in a wait and answered before it ended: none, if the kernel keeps to the quota.

        A wait ends somewhere between two samples; only what was answered before the earlier one counts. On a busy
        machine samples come late, and how late the latest was is the margin.
        """
        step_s = max((after.time_s - before.time_s for before, after in pairwise(self.samples)), default=0.0)
        return sum(
            span.start_s < reply.time_s and reply.time_s + reply.latency_s < span.end_s - 1.5 * step_s
            for span in self.throttled
            for reply in self.replies
        )


@dataclass(frozen=True, slots=True)
class CpuQuota:
    """Several spinning containers, watched over the same stretch of time."""

    cgroup_version: int
    lanes: tuple[CpuLane, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each container."""
        columns = {
            _("container"): [lane.name for lane in self.lanes],
            _("quota in ms"): [None if lane.quota_us is None else lane.quota_us / 1000 for lane in self.lanes],
            _("period in ms"): [lane.period_us / 1000 for lane in self.lanes],
            _("CPUs used"): [round(lane.used_cpus, 3) for lane in self.lanes],
            _("periods"): [lane.periods for lane in self.lanes],
            _("throttled periods"): [lane.throttled_periods for lane in self.lanes],
            _("p50 of a request in ms"): [round(lane.latency_s(0.5) * 1000, 2) for lane in self.lanes],
            _("p99 of a request in ms"): [round(lane.latency_s(0.99) * 1000, 2) for lane in self.lanes],
        }
        return pd.DataFrame(columns)


def cpu_quota(room: Room, *, cpus: Sequence[float | None] = (0.25, 0.75), seconds: float = 2.0) -> CpuQuota:
    """Let one container for each of `cpus` spin under that `--cpus` (None: without), sampled every 10 ms.

    Each container also answers small requests; they are sent on time whether or not the last one was answered.
    Raises docker.errors.APIError when the engine refuses a quota, CapabilityMissing when it would ignore it,
    CommandFailed when it cannot be watched.
    Source: Documentation/scheduler/sched-bwc.rst in the kernel.
    """
    room.require("limits")
    names = [_("{cpus:g} CPU").format(cpus=limit) if limit else _("no quota") for limit in cpus]
    names = [f"{name} ({place})" if names.count(name) > 1 else name for place, name in enumerate(names, 1)]
    ports = {name: FIRST_PORT + place for place, name in enumerate(names)}
    containers: dict[str, Container] = {}
    with ExitStack() as stack:
        for place, (name, limit) in enumerate(zip(names, cpus, strict=True)):
            settings: dict[str, object] = {"nano_cpus": round(limit * NANO)} if limit else {}
            if containers:
                settings["network_mode"] = f"container:{next(iter(containers.values())).id}"
            spinner = kept(room, f"spin{place}", _SPIN_AND_ANSWER, str(ports[name]), **settings)
            containers[name] = stack.enter_context(spinner)
            containers[name].start()
        quantities = ("cpu.usage", "cpu.stat", "cpu.quota", "cpu.period")
        watcher = stack.enter_context(observing(room, containers, quantities, for_s=seconds, ports=ports))
        return _result(watcher.result(), dict(zip(names, cpus, strict=True)))


def _result(seen: Observation, asked: Mapping[str, float | None]) -> CpuQuota:
    lanes = []
    for name, limit in asked.items():
        readings = seen.readings[name]
        period_us = readings[-1].number("cpu.period") or 0
        quota_us = readings[-1].number("cpu.quota")
        lanes.append(CpuLane(name, limit, quota_us, period_us, samples(readings), seen.replies[name]))
    return CpuQuota(seen.cgroup_version, tuple(lanes))


def samples(readings: Sequence[Reading]) -> tuple[CpuSample, ...]:
    """Turn readings of `cpu.usage` and `cpu.stat` into counts since the first of them."""
    counted = [
        (reading.time_s, reading.number("cpu.usage") or 0, *_cgroupfs.throttling(reading.texts["cpu.stat"]))
        for reading in readings
    ]
    first = counted[0]
    return tuple(
        CpuSample(time_s, (used - first[1]) / NANO, periods - first[2], throttled - first[3], waited - first[4])
        for time_s, used, periods, throttled, waited in counted
    )
