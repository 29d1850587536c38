"""Limits as they stand: from the flag through the API's field to the file that the kernel keeps to."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _
from docker_tutor.topics import _cgroupfs
from docker_tutor.topics.cgroups_observer import look
from docker_tutor.units import human_bytes

__all__ = ["LimitRow", "Limits", "limits", "older_weight_of_shares", "weight_of_shares"]

QUANTITIES = ("memory.limit", "memory.swap", "cpu.quota", "cpu.period", "cpu.weight", "pids.limit")
DEFAULT_PERIOD_US = 100_000
"""What dockerd makes of `--cpus`: a quota for each period of this length."""


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One limit on its way from the flag to the kernel."""

    flag: str
    api_field: str
    api_value: int | None
    """What the engine's API holds; None where nothing was asked for."""
    v1: str
    """File and value in version 1. In the version that is not here: what it would hold."""
    v2: str
    """File and value in version 2, likewise."""
    file_read: str
    """The file that was read, as the engine's own machine names it; empty when this kernel does not have it."""
    meaning: str
    """What the value read amounts to, for a person."""


@dataclass(frozen=True, slots=True)
class Limits:
    """A running container's limits, read back from its control group."""

    container_id: str
    cgroup_version: int
    memory_bytes: int | None
    """None here and below: no limit."""
    swap_bytes: int | None
    """Swap alone, whatever the version counts: version 1 keeps the sum of memory and swap, version 2 swap."""
    cpus: float | None
    """Quota divided by period."""
    cpu_weight: int | None
    """`cpu.shares` in version 1, `cpu.weight` in version 2: no unit, only ratios of them mean something."""
    pids: int | None
    rows: tuple[LimitRow, ...]

    def weights_for(self, shares: int) -> frozenset[int]:
        """Return the weights that `--cpu-shares` may have come to here; in version 2 the runtime chooses."""
        if self.cgroup_version == 1:
            return frozenset({shares})
        return frozenset({weight_of_shares(shares), older_weight_of_shares(shares)})

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each limit, in the order of the way it takes. The container's id is cut to 12 figures."""
        columns = {
            _("flag"): [row.flag for row in self.rows],
            _("API field"): [row.api_field for row in self.rows],
            _("API value"): [_("—") if row.api_value is None else str(row.api_value) for row in self.rows],
            _("version 1"): [row.v1 for row in self.rows],
            _("version 2"): [row.v2 for row in self.rows],
            _("file read here"): [self._short(row.file_read) for row in self.rows],
            _("meaning"): [row.meaning for row in self.rows],
        }
        return pd.DataFrame(columns)

    def _short(self, path: str) -> str:
        return path.replace(self.container_id, self.container_id[:12] + "…") or _("not kept by this kernel")


def limits(room: Room, container: str) -> Limits:
    """Read back every limit of a running container, given by its name or id. Takes nothing for granted.

    Raises docker.errors.NotFound when there is no such container, CommandFailed when it has no control group to read.
    Source: `man 7 cgroups`; runc's cgroup managers for what is written where.
    """
    found = room.client.containers.get(container)
    version, files = look(room, found, QUANTITIES)
    asked: dict[str, Any] = found.attrs["HostConfig"]

    def number(quantity: str) -> int | None:
        return _cgroupfs.number(quantity, files[quantity][1]) if quantity in files else None

    memory, swap = number("memory.limit"), number("memory.swap")
    if version == 1 and swap is not None and memory is not None:
        swap -= memory
    quota_us, period_us = number("cpu.quota"), number("cpu.period") or DEFAULT_PERIOD_US
    weight, pids = number("cpu.weight"), number("pids.limit")
    rows = (
        ("--memory", "Memory", "memory.limit", _held(memory), _held(memory), _as_bytes(memory)),
        ("--memory-swap", "MemorySwap", "memory.swap", _held(_sum(memory, swap)), _held(swap), _as_swap(swap)),
        ("--cpus", "NanoCpus", "cpu.quota", *_both_quotas(quota_us, period_us), _as_quota(quota_us, period_us)),
        ("--cpu-shares", "CpuShares", "cpu.weight", *_both_weights(version, weight), _("only ratios of it count")),
        ("--pids-limit", "PidsLimit", "pids.limit", _held(pids), _held(pids), _as_tasks(pids)),
    )
    return Limits(
        container_id=str(found.id),
        cgroup_version=version,
        memory_bytes=memory,
        swap_bytes=swap,
        cpus=None if quota_us is None else quota_us / period_us,
        cpu_weight=weight,
        pids=pids,
        rows=tuple(_row(*row, asked, files) for row in rows),
    )


def weight_of_shares(shares: int) -> int:
    """Convert `--cpu-shares` to `cpu.weight` of version 2 as runc ≥ 1.3.2 and crun ≥ 1.23 do: 1024 → 100, 512 → 59.

    Source: opencontainers/cgroups, ConvertCPUSharesToCgroupV2Value.
    """
    if shares <= 2:
        return 1
    if shares >= 262_144:
        return 10_000
    power = math.log2(shares)
    return math.ceil(10 ** ((power * power + 125 * power) / 612 - 7 / 34))


def older_weight_of_shares(shares: int) -> int:
    """Convert `--cpu-shares` to `cpu.weight` as older runtimes do, on a straight line: 1024 → 39, 512 → 20."""
    return 1 + (max(2, min(shares, 262_144)) - 2) * 9999 // 262_142


def _row(
    flag: str, field: str, quantity: str, v1: str, v2: str, means: str, asked: dict[str, Any], files: dict[str, Any]
) -> LimitRow:
    place = _cgroupfs.PLACES[quantity]
    path = files[quantity][0] if quantity in files else ""
    return LimitRow(flag, field, asked.get(field) or None, f"{place.v1}: {v1}", f"{place.v2}: {v2}", path, means)


def _held(value: int | None) -> str:
    return "max" if value is None else str(value)


def _sum(memory: int | None, swap: int | None) -> int | None:
    return None if memory is None or swap is None else memory + swap


def _both_quotas(quota_us: int | None, period_us: int) -> tuple[str, str]:
    v1 = "-1" if quota_us is None else str(quota_us)
    return f"{v1}, cpu.cfs_period_us: {period_us}", f"{_held(quota_us)} {period_us}"


def _both_weights(version: int, weight: int | None) -> tuple[str, str]:
    if version == 2 or weight is None:
        return _("the number of --cpu-shares itself"), _held(weight)
    newer, older = weight_of_shares(weight), older_weight_of_shares(weight)
    return str(weight), _("{newer} (older runtimes: {older})").format(newer=newer, older=older)


def _as_bytes(value: int | None) -> str:
    return _("no limit") if value is None else human_bytes(value)


def _as_swap(value: int | None) -> str:
    return _("no limit of its own") if value is None else _("{size} of swap").format(size=human_bytes(value))


def _as_quota(quota_us: int | None, period_us: int) -> str:
    if quota_us is None:
        return _("no limit")
    return _("{quota:g} ms of CPU time in every {period:g} ms").format(quota=quota_us / 1000, period=period_us / 1000)


def _as_tasks(value: int | None) -> str:
    return _("no limit") if value is None else _("{count} processes and threads").format(count=value)
