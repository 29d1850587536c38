"""The life of one `docker run` on one timeline: the CLI's calls, containerd's events, and the kernel's processes.

Sources: Engine API; `ctr events` (containerd); the kernel's process connector (see `process_events`).
"""

import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.gateway import Call
from docker_tutor.topics.process_events import Lifetime, ProcessWatch

__all__ = ["LANES", "Life", "Span", "run"]

LANES = ("docker", "HTTP", "containerd", "shim", "runc", "program")
"""From the command that was typed down to what it started."""
PROGRAM = ("sleep", "0.2")


@dataclass(frozen=True, slots=True)
class Span:
    """One thing that happened, in microseconds after the command was started."""

    lane: str
    start_us: float
    end_us: float | None
    """None for a moment without duration."""
    label: str


@dataclass(frozen=True, slots=True)
class Life:
    """Everything that happened from the exec of `docker` until the container was gone."""

    command: str
    spans: tuple[Span, ...]

    @property
    def duration_us(self) -> float:
        """When the last thing ended."""
        return max(span.end_us or span.start_us for span in self.spans)

    def lane(self, lane: str) -> tuple[Span, ...]:
        """Return the spans of one lane, in time order."""
        return tuple(span for span in self.spans if span.lane == lane)

    def span(self, lane: str, ending: str) -> Span:
        """Return the first span of a lane whose label ends so. Raises StopIteration."""
        return next(span for span in self.lane(lane) if span.label.endswith(ending))

    def to_frame(self) -> pd.DataFrame:
        """Return one line per span, times in milliseconds."""
        rows = [(s.lane, s.label, round(s.start_us / 1e3, 3), _milliseconds(s)) for s in self.spans]
        return pd.DataFrame(rows, columns=["lane", "what", "start_ms", "duration_ms"])


def _milliseconds(span: Span) -> float | None:
    return None if span.end_us is None else round((span.end_us - span.start_us) / 1e3, 3)


def run(room: Room, image: str = "alpine:3.19") -> Life:
    """Run one container that sleeps for 0.2 s and follow everything that its `docker run` sets in motion.

    Needs an engine whose processes are this machine's, and root. Raises CapabilityMissing otherwise.
    """
    room.require("host_processes")
    name = room.unique("life")
    heard: list[str] = []
    with ProcessWatch() as watch, _containerd_events(room, heard):
        room.cli("run", "--rm", "--name", name, "--network", "none", image, *PROGRAM)
    start = next(life.start_s for life in watch.lifetimes if name in life.words)
    calls = [call for call in room.calls() if call.started_s >= start]
    container_id = next(found[0] for call in calls if (found := re.findall(r"[0-9a-f]{64}", call.path)))
    spans = [
        *_from_processes(watch.lifetimes, name, container_id),
        *_from_calls(calls),
        *(span for line in heard if container_id in line for span in _from_containerd(line)),
    ]
    inside = [span for span in spans if span.start_us >= start * 1e6]
    moved = [Span(s.lane, s.start_us - start * 1e6, s.end_us and s.end_us - start * 1e6, s.label) for s in inside]
    moved.sort(key=lambda span: (LANES.index(span.lane), span.start_us))
    return Life(f"docker run --rm {image} {' '.join(PROGRAM)}", tuple(moved))


def _from_processes(lifetimes: list[Lifetime], name: str, container_id: str) -> Iterator[Span]:
    # Other containers may be started at the same time: ours are told by its id, or by their parents.
    ours = {life.pid for life in lifetimes if container_id in life.words}
    for life in lifetimes:
        end = life.end_s and life.end_s * 1e6
        program = Path(life.words[0]).name if life.words else ""
        if program == "docker" and name in life.words:
            yield Span("docker", life.start_s * 1e6, end, "docker run")
        elif program.startswith("containerd-shim") and container_id in life.words:
            verb = next((word for word in life.words[1:] if word in ("start", "delete")), "")
            yield Span("shim", life.start_s * 1e6, end, f"shim {verb}".strip())
        elif program == "runc" and (container_id in life.words or life.parent_pid in ours):
            verb = next((word for word in life.words[1:] if word in _RUNC_VERBS), "")
            yield Span("runc", life.start_s * 1e6, end, f"runc {verb}".strip())
        elif life.words == PROGRAM:
            yield Span("program", life.start_s * 1e6, end, " ".join(PROGRAM))


_RUNC_VERBS = ("create", "init", "start", "delete", "kill", "state")


def _from_calls(calls: Iterable[Call]) -> Iterator[Span]:
    for call in calls:
        path = re.sub(r"^/v[\d.]+", "", call.path).partition("?")[0]
        path = re.sub(r"[0-9a-f]{64}", "{id}", path)
        start = call.started_s * 1e6
        yield Span("HTTP", start, start + call.duration_s * 1e6, f"{call.method} {path}")


@contextmanager
def _containerd_events(room: Room, heard: list[str]) -> Iterator[None]:
    """Collect what `ctr events` writes, where the engine brings `ctr` and says where its containerd listens."""
    ctr, address = room.engine.tools.programs.get("ctr"), room.engine.tools.containerd
    if not ctr or not address:
        yield
        return
    words = [str(ctr), "--address", address, "--namespace", "moby", "events"]
    listener = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        yield
    finally:
        listener.terminate()
        heard += (listener.communicate()[0] or "").splitlines()


def _from_containerd(line: str) -> Iterator[Span]:
    # 2024-05-04 10:11:12.123456789 +0000 UTC moby /tasks/create {"container_id": …}
    match = re.match(r"(\S+ \S+) \+0000 UTC \S+ (/\S+) (\{.*)", line)
    if not match:
        return
    moment, topic, body = match.groups()
    at = datetime.fromisoformat(moment + "+00:00").timestamp()
    json.loads(body)
    yield Span("containerd", at * 1e6, None, topic)
