"""`docker stats`, as numbers: the engine's own stream of what a container uses, about once a second.

Source: Engine API, GET /containers/{id}/stats, and how the CLI makes percentages and memory out of it.
"""

import json
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _
from docker_tutor.units import MiB

__all__ = ["StatsRun", "StatsSample", "stream", "watch"]


@dataclass(frozen=True, slots=True)
class StatsSample:
    """What a container used in the second before one moment."""

    time_s: float
    """Since the stream began."""
    cpus: float
    """CPU time for each second that passed: 1.0 is one CPU, which `docker stats` prints as 100 %."""
    memory_bytes: int
    """Without the file cache that the kernel can drop at once, as `docker stats` counts."""
    memory_limit_bytes: int
    """The limit in force; without one, all of the machine's memory."""
    processes: int
    received_bytes: int
    sent_bytes: int


@dataclass(frozen=True, slots=True)
class StatsRun:
    """The samples of one container, in order."""

    container: str
    samples: tuple[StatsSample, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each sample."""
        columns = {
            _("time in s"): [round(sample.time_s, 1) for sample in self.samples],
            _("CPUs used"): [round(sample.cpus, 2) for sample in self.samples],
            _("memory in MiB"): [round(sample.memory_bytes / MiB, 1) for sample in self.samples],
            _("limit in MiB"): [round(sample.memory_limit_bytes / MiB, 1) for sample in self.samples],
            _("processes"): [sample.processes for sample in self.samples],
        }
        return pd.DataFrame(columns)


def stream(room: Room, container: str) -> Generator[StatsSample, None, None]:
    """Yield what a running container uses, about once a second, until it stops or the iterator is closed.

    Raises docker.errors.NotFound when there is no such container.
    """
    url = f"{room.api.base_url}/containers/{room.client.containers.get(container).id}/stats"
    previous: Mapping[str, Any] | None = None
    began = 0.0
    # The SDK's own stream cannot be closed, and would keep its connection until it is collected.
    with closing(room.api.get(url, params={"stream": "true"}, stream=True)) as answer:
        for line in answer.iter_lines():
            report = json.loads(line)
            if not report.get("pids_stats", {}).get("current"):
                return  # it has stopped: the engine goes on sending empty reports
            now = _moment(report)
            if previous is not None:
                began = began or _moment(previous)
                yield _sample(report, now - began, now - _moment(previous), _cpu_ns(report) - _cpu_ns(previous))
            previous = report


def watch(room: Room, container: str, *, count: int = 3) -> StatsRun:
    """Collect `count` samples: about as many seconds, and one more to begin with.

    Raises docker.errors.NotFound when there is no such container.
    """
    with closing(stream(room, container)) as samples:
        return StatsRun(container, tuple(islice(samples, count)))


def _moment(report: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(report["read"]).timestamp()


def _cpu_ns(report: Mapping[str, Any]) -> int:
    return int(report["cpu_stats"]["cpu_usage"]["total_usage"])


def _sample(report: Mapping[str, Any], time_s: float, passed_s: float, used_ns: int) -> StatsSample:
    memory = report["memory_stats"]
    details = memory.get("stats", {})
    cache = details.get("total_inactive_file", details.get("inactive_file", 0))
    networks = report.get("networks", {}).values()
    return StatsSample(
        time_s=time_s,
        cpus=used_ns / 1e9 / passed_s if passed_s > 0 else 0.0,
        memory_bytes=max(0, int(memory.get("usage", 0)) - int(cache)),
        memory_limit_bytes=int(memory.get("limit", 0)),
        processes=int(report["pids_stats"]["current"]),
        received_bytes=sum(int(one["rx_bytes"]) for one in networks),
        sent_bytes=sum(int(one["tx_bytes"]) for one in networks),
    )
