"""What a container is made of and what it costs, measured beside a plain process and beside virtual machines.

The machines are guests of the sandboxed engine without Docker in them: a kernel as a process (User-Mode Linux), and a
kernel on made-up hardware (QEMU). Where one cannot run its column is open and a note says why; nothing is guessed.
"""

import html
import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import pandas as pd
import psutil

from docker_tutor.classroom import guests
from docker_tutor.classroom.bars import Bar, Board
from docker_tutor.classroom.lacking import Lacking
from docker_tutor.classroom.room import Room
from docker_tutor.errors import EngineError, PackageError
from docker_tutor.i18n import _
from docker_tutor.topics import probes
from docker_tutor.topics.process_tree import process_tree
from docker_tutor.units import human_bytes, human_seconds

__all__ = ["Comparison", "Costs", "compare", "process_tree"]

_WORK = """
import json, os, time
def spent(job):
    start = time.process_time()
    job()
    return time.process_time() - start
def compute():
    sum(n * n for n in range(2_000_000))
def read():
    with open("/dev/zero", "rb", buffering=0) as zeros:
        for _ in range(100_000):
            zeros.read(1)
"""
_JOB = f"{_WORK}\nprint(json.dumps([spent(compute), spent(read)]))"
_GUESTS_JOB = f"""{_WORK}
until = time.monotonic() + 2
tried = [(spent(compute), spent(read))]
while time.monotonic() < until:
    tried.append((spent(compute), spent(read)))
cpu_s, reads_s = map(min, zip(*tried))
print(json.dumps({{"cpu_s": cpu_s, "reads_s": reads_s, "kernel": os.uname().release}}))
"""
MACHINES = ("uml", "qemu")
MOST_TURNS = 60
"""Of the same job inside and outside, on a machine that never comes to rest."""

_INSIDE = """
import json, os
print(json.dumps([os.uname().release, "QEMU TCG" in open("/proc/cpuinfo").read()]))
"""
"""The kernel, and whether the processor is made up: QEMU's emulation calls its own so (`target/i386/cpu.c`)."""

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
    reads_s: float | None = None
    """CPU time of 100,000 reads of one byte: work for the kernel; the least of several."""
    kernel: str | None = None
    """Kernel release seen inside."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A plain process, a container and two kinds of guest kernel side by side."""

    process: Costs
    container: Costs
    virtual_machine: Costs | None
    """A guest of QEMU; None where it cannot run."""
    repeats: int
    user_mode: Costs | None = None
    """User-Mode Linux, a kernel as a process of this one; None where it cannot run."""
    emulated: bool = False
    """Whether QEMU translated the guest's instructions, for want of help by the processor."""
    engine_emulated: bool = False
    """Whether the same is true of the engine's own machine."""
    notes: tuple[str, ...] = ()
    """Why a column is open, or a figure is worth nothing, in one sentence each."""
    host_kernel: str = field(default_factory=lambda: os.uname().release)
    """Kernel release of the machine on which all this was asked."""

    @property
    def emulation(self) -> float | None:
        """CPU time under emulation ÷ CPU time outside; None where nothing is emulated or outside is not reachable."""
        guest = self.virtual_machine
        if not self.emulated or guest is None or guest.cpu_s is None or self.process.cpu_s is None:
            return None
        return guest.cpu_s / self.process.cpu_s

    @property
    def first_output_s(self) -> float | Lacking | None:
        """From the request to the container's first output; lacking where the engine's own machine is emulated."""
        if self.engine_emulated:
            return Lacking(_translated())
        return self.container.first_output_s

    @property
    def machines(self) -> tuple[Costs, ...]:
        """The guests that ran here."""
        return tuple(each for each in (self.user_mode, self.virtual_machine) if each)

    @property
    def cpu_ratio(self) -> float | None:
        """CPU time in the container ÷ CPU time outside, for the same program; None where outside is not reachable."""
        if self.container.cpu_s is None or self.process.cpu_s is None:
            return None
        return self.container.cpu_s / self.process.cpu_s

    @property
    def start_later(self) -> bool:
        """Whether every machine started later than the container; where that is in a machine itself nothing is said."""
        began = self.container.first_output_s
        if began is None or self.container.kernel != self.host_kernel:
            return True
        return all(each.first_output_s is not None and each.first_output_s > began for each in self.machines)

    def to_frame(self) -> pd.DataFrame:
        """Return the table: a row for each figure, `open` where there is none."""

        def write(value: float | str | None, how: Callable[[float], str]) -> str:
            return _("open") if value is None else value if isinstance(value, str) else how(value)

        columns = (self.process, self.container, self.user_mode or Costs(), self.virtual_machine or Costs())
        fields: tuple[tuple[str, str, Callable[[float], str]], ...] = (
            (_("on disk, shared by all instances"), "disk_bytes", human_bytes),
            (_("on disk, added by this one"), "own_disk_bytes", human_bytes),
            (_("request → first output of user code"), "first_output_s", human_seconds),
            (_("resident memory, asleep"), "memory_bytes", human_bytes),
            (_("memory of its keeper"), "keeper_bytes", human_bytes),
            (_("CPU time of the same job"), "cpu_s", human_seconds),
            (_("CPU time of 100,000 reads of one byte"), "reads_s", human_seconds),
            (_("kernel release inside"), "kernel", str),
        )
        rows = [(title, *(write(getattr(each, field), how) for each in columns)) for title, field, how in fields]
        return pd.DataFrame(rows, columns=[_("measured here"), *self.titles])

    @property
    def titles(self) -> tuple[str, str, str, str]:
        """What the four columns are called."""
        helped = _("with the processor's help") if self.virtual_machine and not self.emulated else _("emulated")
        machine = _("virtual machine (QEMU, {how})").format(how=helped)
        return _("plain process"), _("container"), _("User-Mode Linux"), machine


def compare(
    room: Room, *, image: str = probes.IMAGE, repeats: int = 5, machines: Sequence[str] = MACHINES
) -> Comparison:
    """Measure a container beside a plain process that runs the very same files outside every namespace, and guests.

    The plain process is the container's own program, started by this user in the container's root directory: for that
    the engine's processes have to be here and this user root; elsewhere its column stays open. Source: `man 2 chroot`.
    The guests of `machines` run on this machine, wherever the engine is; their packages are fetched the first time.
    """
    with probes.running(room, "anatomy", image=image) as name:
        pid = probes.pid_outside(room, name)
        plain = _Plain(room, name, pid) if room.capabilities.host_processes and os.geteuid() == 0 else None
        inside: list[list[float]] = []
        outside: list[list[float]] = []
        # Taken in turns, so that a busy moment of the machine meets both, until the least of each has come to rest.
        # Where there is nothing to set it against it need not: under emulation each turn takes seconds.
        least, most = (2 * repeats, MOST_TURNS) if plain else (repeats, repeats)
        while len(inside) < least or (len(inside) < most and _falls([inside, outside], repeats)):
            inside.append(json.loads(room.cli("exec", name, "python", "-c", _JOB).stdout))
            outside.extend([json.loads(plain.run("python", "-c", _JOB))] if plain else [])
        asleep, keeper = probes.outside(room, _RESIDENT, str(pid))
        release, engine_emulated = probes.ask(room, name, _INSIDE)
        container = Costs(
            disk_bytes=int(room.client.images.get(image).attrs["Size"]),
            own_disk_bytes=int(room.cli("inspect", "--size", "--format", "{{.SizeRw}}", name).stdout),
            first_output_s=statistics.median(_first_output_s(room, image) for _repeat in range(repeats)),
            memory_bytes=asleep,
            keeper_bytes=keeper,
            cpu_s=min(cpu for cpu, _reads in inside),
            reads_s=min(reads for _cpu, reads in inside),
            kernel=release,
        )
        kernel = str(room.client.info()["KernelVersion"])
        process = Costs(kernel=kernel)
        if plain:
            starts = statistics.median(plain.first_output_s() for _repeat in range(repeats))
            computing, reading = (min(each) for each in zip(*outside, strict=True))
            process = Costs(0, 0, starts, plain.resident_bytes(), 0, computing, reading, kernel)
    samples, notes = _samples(machines, [_translated()] if engine_emulated else [])
    guest = samples.get("qemu")
    return Comparison(
        process,
        container,
        _costs(guest),
        repeats,
        _costs(samples.get("uml")),
        emulated=guest is not None and guest.emulated,
        engine_emulated=engine_emulated,
        notes=notes,
    )


def _falls(series: Sequence[Sequence[Sequence[float]]], last: int) -> bool:
    """Return whether the `last` of any row of measurements still brought a least that is lower by more than 2 %."""
    columns = [column for measured in series for column in zip(*measured, strict=True)]
    return any(min(column) < 0.98 * min(column[:-last]) for column in columns)


def _translated() -> str:
    return _(
        "This engine's machine is emulated: until a container's first output it is Docker's own programs that are "
        "translated, and that time says nothing about containers. On an engine that computes on the processor it does."
    )


def _samples(machines: Sequence[str], first: Sequence[str] = ()) -> tuple[dict[str, guests.Sample], tuple[str, ...]]:
    board = Board()
    bar = Bar(board)
    samples, notes = {}, list(first)
    for kind in machines:
        try:
            samples[kind] = guests.take(kind, _GUESTS_JOB, bar)
        except (EngineError, PackageError) as error:
            notes.append(f"{kind}: {error}")
    board.show("<br>".join(map(html.escape, notes)), "\n".join(notes))
    return samples, tuple(notes)


def _costs(sample: guests.Sample | None) -> Costs | None:
    if sample is None:
        return None
    return Costs(
        sample.disk_bytes,
        sample.own_disk_bytes,
        sample.first_output_s,
        sample.memory_bytes,
        0,
        float(sample.said["cpu_s"]),
        float(sample.said["reads_s"]),
        str(sample.said["kernel"]),
    )


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
