"""What a container is made of and what it costs, measured beside a plain process of the same program.

The virtual machine's column is filled by the sandboxed engine of a later version; until then it is open, not guessed.
"""

import os
import statistics
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import pandas as pd
import psutil

from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _
from docker_tutor.topics import probes
from docker_tutor.topics.process_tree import process_tree
from docker_tutor.units import human_bytes, human_seconds

__all__ = ["Comparison", "Costs", "compare", "process_tree"]

_JOB = """
import time
start = time.process_time()
sum(n * n for n in range(2_000_000))
print(time.process_time() - start)
"""

_RESIDENT = """
import json, sys
def status(pid):
    lines = open(f"/proc/{pid}/status").read().splitlines()
    return {key: value.split() for key, _, value in (line.partition(":") for line in lines)}
container = status(sys.argv[1])
keeper = status(container["PPid"][0])
print(json.dumps([int(each["VmRSS"][0]) * 1024 for each in (container, keeper)]))
"""


@dataclass(frozen=True, slots=True)
class Costs:
    """What one way of running a program costs. None: not measured here, with the reason in `Comparison.notes`."""

    disk_bytes: int | None = None
    """What has to be on disk for it beyond the program's own machine: the image."""
    own_disk_bytes: int | None = None
    """What this one instance adds to that."""
    first_output_s: float | None = None
    """From the request to the first byte that the user's code wrote; median."""
    memory_bytes: int | None = None
    """Resident memory of an instance that sleeps."""
    keeper_bytes: int | None = None
    """Resident memory of the process that the instance needs beside it: the shim."""
    cpu_s: float | None = None
    """CPU time of the same computation; the least of several, for a busy machine's shared cores only ever add to it."""
    kernel: str | None = None
    """Kernel release seen inside."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A plain process, a container and a virtual machine side by side."""

    process: Costs
    container: Costs
    virtual_machine: Costs | None
    """None until the sandboxed engine fills it."""
    repeats: int

    @property
    def cpu_ratio(self) -> float | None:
        """CPU time in the container ÷ CPU time outside, for the same program; None where outside is not reachable."""
        if self.container.cpu_s is None or self.process.cpu_s is None:
            return None
        return self.container.cpu_s / self.process.cpu_s

    def to_frame(self) -> pd.DataFrame:
        """Return the table: a row for each figure, `open` where there is none yet."""

        def write(value: float | str | None, how: Callable[[float], str]) -> str:
            return _("open") if value is None else value if isinstance(value, str) else how(value)

        columns = (self.process, self.container, self.virtual_machine or Costs())
        fields: tuple[tuple[str, str, Callable[[float], str]], ...] = (
            (_("on disk, shared by all instances"), "disk_bytes", human_bytes),
            (_("on disk, added by this one"), "own_disk_bytes", human_bytes),
            (_("request → first output of user code"), "first_output_s", human_seconds),
            (_("resident memory, asleep"), "memory_bytes", human_bytes),
            (_("memory of its keeper"), "keeper_bytes", human_bytes),
            (_("CPU time of the same job"), "cpu_s", human_seconds),
            (_("kernel release inside"), "kernel", str),
        )
        rows = [(title, *(write(getattr(each, field), how) for each in columns)) for title, field, how in fields]
        return pd.DataFrame(
            rows, columns=[_("measured here"), _("plain process"), _("container"), _("virtual machine")]
        )


def compare(room: Room, *, image: str = probes.IMAGE, repeats: int = 5) -> Comparison:
    """Measure a container beside a plain process that runs the very same files outside every namespace.

    The plain process is the container's own program, started by this user in the container's root directory: for that
    the engine's processes have to be here and this user root; elsewhere its column stays open. Source: `man 2 chroot`.
    """
    with probes.running(room, "anatomy", image=image) as name:
        pid = probes.pid_outside(room, name)
        plain = _Plain(room, name, pid) if room.capabilities.host_processes and os.geteuid() == 0 else None
        inside, outside = [], []
        for _repeat in range(2 * repeats):  # taken in turns, so that a busy moment of the machine meets both
            inside.append(float(room.cli("exec", name, "python", "-c", _JOB).stdout))
            outside.extend([float(plain.run("python", "-c", _JOB))] if plain else [])
        asleep, keeper = probes.outside(room, _RESIDENT, str(pid))
        container = Costs(
            disk_bytes=int(room.client.images.get(image).attrs["Size"]),
            own_disk_bytes=int(room.cli("inspect", "--size", "--format", "{{.SizeRw}}", name).stdout),
            first_output_s=statistics.median(_first_output_s(room, image) for _repeat in range(repeats)),
            memory_bytes=asleep,
            keeper_bytes=keeper,
            cpu_s=min(inside),
            kernel=probes.ask(room, name, "import json, os; print(json.dumps(os.uname().release))"),
        )
        kernel = str(room.client.info()["KernelVersion"])
        process = Costs(kernel=kernel)
        if plain:
            starts = statistics.median(plain.first_output_s() for _repeat in range(repeats))
            process = Costs(0, 0, starts, plain.resident_bytes(), 0, min(outside), kernel)
    return Comparison(process, container, None, repeats)


def _first_output_s(room: Room, image: str) -> float:
    start = time.perf_counter()
    made = room.api.create_container(image, ["echo", "hello"], name=room.unique("first-output"))
    try:
        stream = room.api.attach(made, stream=True)
        # The SDK keeps the connection open after the stream has ended: without this it is a leaked descriptor.
        with closing(vars(stream)["_response"]):
            room.api.start(made)
            next(stream)
            return time.perf_counter() - start
    finally:
        room.api.remove_container(made, v=True, force=True)


class _Plain:
    """Runs a container's programs as plain processes: its root directory and its `PATH`, and nothing else of it."""

    def __init__(self, room: Room, name: str, pid: int) -> None:
        variables = room.api.inspect_container(name)["Config"]["Env"]
        self._environment = dict(variable.split("=", 1) for variable in variables)
        self._words = ("chroot", f"/proc/{pid}/root")

    def run(self, *words: str) -> str:
        done = subprocess.run([*self._words, *words], env=self._environment, capture_output=True, text=True, check=True)
        return done.stdout

    def first_output_s(self) -> float:
        start = time.perf_counter()
        self.run("echo", "hello")
        return time.perf_counter() - start

    def resident_bytes(self) -> int:
        process = subprocess.Popen([*self._words, "sleep", "3600"], env=self._environment)
        try:
            # chroot becomes sleep by execve and then loads its library; no event tells when it has come to rest.
            seen = psutil.Process(process.pid)
            deadline = time.monotonic() + 10
            while (seen.name(), seen.status()) != ("sleep", psutil.STATUS_SLEEPING) and time.monotonic() < deadline:
                os.sched_yield()
            return seen.memory_info().rss
        finally:
            process.kill()
            process.wait()
