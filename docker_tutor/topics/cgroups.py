"""Control groups: how much a container may use, and what happens at the limit.

The public face of this subject; each part is a module of its own:
``cgroups_limits``    limits read back from the kernel's files
``cgroups_memory``    a real OOM kill, and what `free` says inside
``cgroups_cpu``       CPU time under a quota, period by period
``cgroups_shares``    one CPU divided by weight
``cgroups_pids``      forks until the kernel refuses
"""

from docker_tutor.topics.cgroups_cpu import CpuLane, CpuQuota, cpu_quota
from docker_tutor.topics.cgroups_limits import LimitRow, Limits, limits
from docker_tutor.topics.cgroups_memory import MachineView, MemoryRun, memory_limit, memory_seen_inside
from docker_tutor.topics.cgroups_pids import PidsRun, pids_limit
from docker_tutor.topics.cgroups_shares import CpuShare, CpuShares, cpu_shares

__all__ = [
    "CpuLane",
    "CpuQuota",
    "CpuShare",
    "CpuShares",
    "LimitRow",
    "Limits",
    "MachineView",
    "MemoryRun",
    "PidsRun",
    "cpu_quota",
    "cpu_shares",
    "limits",
    "memory_limit",
    "memory_seen_inside",
    "pids_limit",
]
