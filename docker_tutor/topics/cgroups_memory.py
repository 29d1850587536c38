"""Memory: a program that asks for more than its limit, watched from beside; and what `free` says inside."""

import json
import re
from dataclasses import dataclass

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _
from docker_tutor.topics import _cgroupfs
from docker_tutor.topics.cgroups_observer import kept, observing
from docker_tutor.units import MiB

__all__ = ["MachineView", "MemoryRun", "MemorySample", "memory_limit", "memory_seen_inside"]

_GREEDY = """
import json, subprocess, sys
from pathlib import Path
greedy = '''
import mmap, sys, time
asked, step = int(sys.argv[1]), 1 << 20
memory = mmap.mmap(-1, asked)
print("allocated", flush=True)
for page in range(0, asked, 4096):
    memory[page] = 1
    if page % step == 0:
        time.sleep(0.004)  # paced, so that the climb can be seen
print("touched", flush=True)
'''
done = subprocess.run([sys.executable, "-c", greedy, sys.argv[1]], stdout=subprocess.PIPE, text=True)
folder = next(one for one in (Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")) if one.exists())
names = ("memory.oom_control", "memory.events", "memory.max_usage_in_bytes", "memory.peak")
files = {name: (folder / name).read_text() for name in names if (folder / name).exists()}
print(json.dumps({"said": done.stdout.split(), "files": files}))
sys.exit(128 - done.returncode if done.returncode < 0 else done.returncode)
"""


@dataclass(frozen=True, slots=True)
class MemorySample:
    """What the container used at one moment."""

    time_s: float
    used_bytes: int


@dataclass(frozen=True, slots=True)
class MemoryRun:
    """A program that touched memory page by page, until it had all or was killed."""

    asked_bytes: int
    limit_bytes: int | None
    """Read back from the control group while it lived; None: no limit was in force."""
    swap_bytes: int | None
    """Swap it was allowed on top; None: no limit, or the kernel keeps no such count."""
    exit_code: int
    oom_killed: bool
    """What the engine noted as `State.OOMKilled`."""
    oom_kills: int
    """The kernel's own count, read by a process of the container that outlived the kill."""
    allocated: bool
    """Whether the allocation itself had succeeded before any page was touched."""
    finished: bool
    """Whether the program got all it asked for."""
    limit_file: str
    """Where the limit was read, as the engine's own machine names it."""
    peak_bytes: int
    """The highest usage: the kernel's own mark where it keeps one, else the highest sample."""
    samples: tuple[MemorySample, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the samples: seconds and MiB."""
        rows = [(sample.time_s, sample.used_bytes / MiB) for sample in self.samples]
        return pd.DataFrame(rows, columns=[_("time in s"), _("memory used in MiB")])


@dataclass(frozen=True, slots=True)
class MachineView:
    """The memory that a process inside believes to have."""

    total_inside_bytes: int
    """`MemTotal` of /proc/meminfo inside: what `free` prints."""
    swap_inside_bytes: int
    """`SwapTotal` of /proc/meminfo inside."""
    engine_total_bytes: int
    """What the engine says its whole machine has."""
    limit_bytes: int | None
    """The limit in the container's control group."""

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each place where one can ask, in MiB."""
        rows = [
            (_("free, inside"), self.total_inside_bytes / MiB),
            (_("docker info: the whole machine"), self.engine_total_bytes / MiB),
            (_("control group: the limit"), self.limit_bytes / MiB if self.limit_bytes else None),
        ]
        return pd.DataFrame(rows, columns=[_("who is asked"), _("memory in MiB")])


def memory_limit(room: Room, *, limit_bytes: int, ask_bytes: int, memory_swap_bytes: int | None = None) -> MemoryRun:
    """Run a program under `--memory` that touches `ask_bytes` page by page, and watch its memory every 5 ms.

    `memory_swap_bytes` is what `--memory-swap` takes: memory *and* swap; left out it equals the limit, so no swap.
    The program runs under a process that outlives its kill, because the kernel's count of kills goes with the group.
    Raises docker.errors.APIError when the engine refuses the limits, CapabilityMissing when it would ignore them,
    CommandFailed when it cannot be watched.
    """
    room.require("limits")
    total = limit_bytes if memory_swap_bytes is None else memory_swap_bytes
    quantities = ("memory.usage", "memory.limit", "memory.swap")
    with kept(room, "greedy", _GREEDY, str(ask_bytes), mem_limit=limit_bytes, memswap_limit=total) as greedy:
        with observing(
            room, {"greedy": greedy}, quantities, for_s=10.0 * room.engine.slowness, interval_s=0.005
        ) as watcher:
            greedy.start()
            exit_code = int(greedy.wait(timeout=30 * room.engine.slowness)["StatusCode"])
            told = json.loads(greedy.logs(stderr=False))
            seen = watcher.result()
        greedy.reload()
        oom_killed = bool(greedy.attrs["State"]["OOMKilled"])
    readings = seen.readings["greedy"]
    samples = tuple(MemorySample(reading.time_s, reading.number("memory.usage") or 0) for reading in readings)
    # The limit is written after the group is made and before the program starts: the last reading has it.
    limit = readings[-1].number("memory.limit") if readings else None
    swap = readings[-1].number("memory.swap") if readings and "memory.swap" in readings[-1].texts else None
    if seen.cgroup_version == 1 and swap is not None and limit is not None:
        swap -= limit
    files = told["files"]
    mark = files.get("memory.max_usage_in_bytes") or files.get("memory.peak")
    return MemoryRun(
        asked_bytes=ask_bytes,
        limit_bytes=limit,
        swap_bytes=swap,
        exit_code=exit_code,
        oom_killed=oom_killed,
        oom_kills=_cgroupfs.flat(files.get("memory.oom_control") or files["memory.events"]).get("oom_kill", 0),
        allocated="allocated" in told["said"],
        finished="touched" in told["said"],
        limit_file=seen.paths.get("greedy", {}).get("memory.limit", ""),
        peak_bytes=int(mark) if mark else max((sample.used_bytes for sample in samples), default=0),
        samples=samples,
    )


def memory_seen_inside(room: Room, *, limit_bytes: int) -> MachineView:
    """Ask for the machine's memory from inside a container that may use `limit_bytes` of it.

    Source: `man 5 proc_meminfo`: the file is not part of any namespace.
    """
    source = """
import json
from pathlib import Path
files = ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max")
limit = next(Path(file).read_text() for file in files if Path(file).exists())
print(json.dumps({"meminfo": Path("/proc/meminfo").read_text(), "limit": limit}))
"""
    with kept(room, "free", source, mem_limit=limit_bytes, memswap_limit=limit_bytes) as asker:
        asker.start()
        asker.wait(timeout=30 * room.engine.slowness)
        told = json.loads(asker.logs(stderr=False))
    kibibytes = dict(re.findall(r"^(\w+): +(\d+) kB$", told["meminfo"], re.MULTILINE))
    return MachineView(
        int(kibibytes["MemTotal"]) * 1024,
        int(kibibytes["SwapTotal"]) * 1024,
        int(room.client.info()["MemTotal"]),
        _cgroupfs.number("memory.limit", told["limit"]),
    )
