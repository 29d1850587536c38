"""The same container under several OCI runtimes: how fast it starts, which kernel it sees, what a system call costs.

On a spare engine, since a runtime has to be named in `daemon.json`. A runtime that does not start is tried again
through each wrapper that `engines.runtimes` knows; one that runs in no way is kept with the reason that it gave itself.
Sources: OCI runtime-spec; dockerd's `runtimes`; the READMEs of crun, gVisor, youki and Kata Containers.
"""

import re
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from docker_tutor.classroom import runtimes
from docker_tutor.classroom.room import Room
from docker_tutor.classroom.spare import SpareRoom
from docker_tutor.errors import CommandFailed
from docker_tutor.i18n import _
from docker_tutor.progress import Report, silent
from docker_tutor.topics import probes

__all__ = ["Comparison", "Tried", "compare"]

IMAGE = "alpine:3.19"
REPEATS = 3
CALLS = (20_000, 400_000)
"""The second number only where the first is done in no time at all."""
TOO_SHORT_S = 0.2
KATA = "io.containerd.kata.v2"
TIME_LIMIT_S = 60
SEE = "uname -sr; dmesg 2>/dev/null | head -n 1"
CALL = "{{ time dd if=/dev/zero of=/dev/null bs=1 count={blocks}; }} 2>&1 | grep real"
"""A block of one byte is one read and one write: the time of `dd` is that of system calls."""
REAL = re.compile(r"real\s+(?:(\d+)m)?\s*([\d.]+)s?")
PREFIXES = ("OCI runtime create failed: ", "OCI runtime start failed: ", "failed to start shim: ", "from daemon: ")


@dataclass(frozen=True, slots=True)
class Tried:
    """One runtime, tried."""

    name: str
    runs: bool
    reason: str
    """Why it does not run, in its own words; or, if it needed a wrapper, what that changes and why."""
    attempts: tuple[str, ...] = ()
    """What was tried before it ran: the wrapper (or `as it is`) and what was said."""
    version: str = ""
    start_s: float | None = None
    """`docker run --rm` of a program that does nothing, without a network: the median of three."""
    kernel: str = ""
    """What `uname` says inside."""
    first_message: str = ""
    """The first line of the kernel's log inside, where the runtime shows one."""
    call_us: float | None = None
    """What one system call costs, in microseconds."""
    outside: str = ""
    """The program that the machine sees in the place of the container's PID 1."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same container, runtime by runtime."""

    tried: tuple[Tried, ...]
    kernel: str
    """The machine's own kernel, as `uname` says it."""

    def of(self, name: str) -> Tried:
        """Return what came of one runtime."""
        return next(each for each in self.tried if each.name == name)

    @property
    def running(self) -> tuple[Tried, ...]:
        """Those that ran."""
        return tuple(each for each in self.tried if each.runs)

    def to_frame(self) -> pd.DataFrame:
        """Return one line per runtime."""
        rows = [
            (
                each.name,
                _("yes") if each.runs else _("no"),
                each.start_s,
                each.kernel,
                each.call_us,
                each.outside,
                each.reason,
            )
            for each in self.tried
        ]
        columns = ["runtime", "runs", "start_s", "kernel inside", "call_us", "seen outside as", "note"]
        return pd.DataFrame(rows, columns=columns)


def compare(room: Room, report: Report = silent) -> Comparison:
    """Run one container under runc, crun, runsc, youki (if it is here) and Kata, on a spare engine.

    Raises CapabilityMissing where there can be no spare engine, PackageError when the packages cannot be had.
    """
    room.require_spare()
    programs = runtimes.ensure(report)
    if found := runtimes.youki():
        programs["youki"] = found
    ways = {name: _ways(name, program, room.folder) for name, program in programs.items()}
    known = {way: path for several in ways.values() for way, (path, _why) in several.items() if path}
    with room.spare("rt", images=[IMAGE], runtimes=known, report=report) as other:
        runc = other.engine.tools.programs["runc"]
        tried = [_tried(other, "runc", {"runc": (runc, "")})]
        tried += [_tried(other, name, several) for name, several in ways.items()]
        if not found:
            tried.append(Tried("youki", runs=False, reason=_no_youki()))
        tried.append(_tried(other, "kata", {KATA: (None, "")}))
        kernel = f"Linux {other.api.info()['KernelVersion']}"
    return Comparison(tuple(tried), kernel)


def _ways(name: str, program: Path, folder: Path) -> dict[str, tuple[Path | None, str]]:
    """Return the names under which dockerd is to know a runtime: as it is, and through each wrapper."""
    ways: dict[str, tuple[Path | None, str]] = {name: (program, "")}
    for cure in runtimes.CURES.get(name, ()):
        ways[f"{name}.{cure.name}"] = (runtimes.wrap(program, cure, folder), cure.why)
    return ways


def _tried(room: SpareRoom, name: str, ways: dict[str, tuple[Path | None, str]]) -> Tried:
    said: list[str] = []
    for way, (_path, why) in ways.items():
        try:
            _run(room, way, "true")
            return _measured(room, name, way, why, said, next(iter(ways.values()))[0])
        except CommandFailed as failed:
            said.append(f"{way}: {_last_words(str(failed))}")
    return Tried(name, runs=False, reason=said[-1].partition(": ")[2], attempts=tuple(said))


def _measured(room: SpareRoom, name: str, way: str, why: str, said: list[str], program: Path | None) -> Tried:
    starts = []
    for _repeat in range(REPEATS):
        began = time.perf_counter()
        _run(room, way, "true")
        starts.append(time.perf_counter() - began)
    container = f"seen-{way}"
    room.cli("run", "-d", "--name", container, "--runtime", way, "--network", "none", IMAGE, "sleep", "600")
    try:
        outside = Path(f"/proc/{probes.pid_outside(room, container)}/cmdline").read_text().split("\0")
        seen = room.cli("exec", container, "sh", "-c", SEE).stdout.splitlines()
        try:
            call_us = _call_us(room, container)
        except CommandFailed as failed:
            # Seen with a runsc newer than its platform's support for this kernel: it starts, and dies under load.
            call_us, died = None, _("it ended while its system calls were timed: {why}")
            why = f"{why}; {died.format(why=_last_words(str(failed)))}".removeprefix("; ")
    finally:
        room.cli("rm", "-f", container)
    return Tried(
        name,
        runs=True,
        reason=why,
        attempts=tuple(said),
        version=_version(program),
        start_s=statistics.median(starts),
        kernel=seen[0],
        first_message=seen[1] if len(seen) > 1 else "",
        call_us=call_us,
        outside=Path(outside[0]).name,
    )


def _call_us(room: SpareRoom, container: str) -> float | None:
    for calls in CALLS:
        written = room.cli("exec", container, "sh", "-c", CALL.format(blocks=calls // 2)).stdout
        real = REAL.search(written)
        if real is None:
            return None  # this image's shell does not tell the time
        seconds = 60 * int(real[1] or 0) + float(real[2])
        if seconds > TOO_SHORT_S:
            break
    return seconds * 1e6 / calls


def _run(room: SpareRoom, way: str, *program: str) -> None:
    options = ["--rm", "--network", "none", "--runtime", way]
    room.cli("run", *options, IMAGE, *program, timeout_s=TIME_LIMIT_S)


def _last_words(stderr: str) -> str:
    """Return what the runtime said, without what the programs above it put before and after."""
    lines = stderr.strip().splitlines()
    said = next((line for line in lines if "rror" in line), lines[-1])
    for prefix in PREFIXES:
        if prefix in said:
            said = said.rpartition(prefix)[2]
            break
    return said.strip().removesuffix(".").removesuffix(": unknown")


def _version(program: Path | None) -> str:
    if program is None:
        return ""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.splitlines()
    return said[0] if said else ""


def _no_youki() -> str:
    return _("it is in no package; a Rust toolchain builds it in some minutes: {command}").format(
        command=runtimes.command_for_youki()
    )
