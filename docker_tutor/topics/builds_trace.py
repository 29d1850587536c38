"""What BuildKit says while it builds: every step with its start, its end, and whether the cache had it.

`docker buildx build --progress=rawjson` writes BuildKit's own progress messages (`SolveStatus` of its control API) as
JSON, one object after the other: `vertexes` (steps), `statuses` (bytes moved) and `logs`. buildx 0.13 writes them over
several lines, later ones on one; both are read here. The same step is reported again and again as it gets on.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import pandas as pd

from docker_tutor.units import human_bytes, human_seconds

__all__ = ["Step", "Trace", "read_trace"]

Kind = Literal["internal", "from", "step", "export"]
State = Literal["cached", "ran", "failed", "cancelled"]

NAME = re.compile(r"\[(?:(?P<stage>\S+) +)?(?P<position>\d+)/(?P<of>\d+)\] (?P<instruction>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a build (BuildKit calls it a vertex)."""

    name: str
    """As BuildKit names it: `[build 3/6] COPY . .`."""
    kind: Kind
    """`step` and `from` are lines of the Dockerfile; `internal` loads something; `export` writes the result."""
    stage: str
    """The stage's name, `stage-1` where it has none, empty where the Dockerfile has one stage only."""
    position: int
    """Which step of its stage it is, from 1; 0 for what is no line of the Dockerfile."""
    instruction: str
    """The line itself, for example `COPY . .`."""
    digest: str
    inputs: tuple[str, ...]
    """Digests of the steps whose results it takes."""
    start_s: float
    """Since the first step of the build began."""
    end_s: float
    state: State
    error: str = ""
    log: str = ""
    """What the step wrote, standard output and standard error together."""

    @property
    def cached(self) -> bool:
        """Whether its result was there already."""
        return self.state == "cached"

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Trace:
    """A whole build as BuildKit told it."""

    steps: tuple[Step, ...]
    """In the order of the Dockerfile: stage by stage; loading comes first and exporting last."""
    seconds: float
    """From the first step's start to the last one's end."""
    context_bytes: int
    """Bytes of the context that were sent: only files whose metadata changed since the last build are."""

    @property
    def lines(self) -> tuple[Step, ...]:
        """The steps that are lines of the Dockerfile and make files: RUN, COPY, ADD and WORKDIR."""
        return tuple(step for step in self.steps if step.kind == "step")

    @property
    def ran(self) -> tuple[str, ...]:
        """The lines that were carried out in this build."""
        return tuple(step.instruction for step in self.lines if step.state == "ran")

    @property
    def cached(self) -> tuple[str, ...]:
        """The lines whose result came from the cache."""
        return tuple(step.instruction for step in self.lines if step.cached)

    def line(self, beginning: str, stage: str | None = None) -> Step:
        """Return the first line that begins with `beginning`, for example `"COPY ."`. Raises KeyError."""
        for step in self.lines:
            if step.instruction.startswith(beginning) and stage in (None, step.stage):
                return step
        raise KeyError(beginning)

    def to_frame(self) -> pd.DataFrame:
        """One row for each step."""
        rows = [
            {
                "step": step.name,
                "state": step.state,
                "start_s": round(step.start_s, 3),
                "seconds": round(step.seconds, 3),
            }
            for step in self.steps
        ]
        return pd.DataFrame(rows, columns=["step", "state", "start_s", "seconds"])

    def __str__(self) -> str:
        sent = human_bytes(self.context_bytes)
        return f"{len(self.ran)} run, {len(self.cached)} cached, {human_seconds(self.seconds)}, context {sent}"


@dataclass(slots=True)
class _Vertex:
    """What has been said about one step so far."""

    name: str = ""
    inputs: tuple[str, ...] = ()
    started: float | None = None
    completed: float | None = None
    cached: bool = False
    error: str = ""
    log: bytearray = field(default_factory=bytearray)
    bytes_by_id: dict[str, int] = field(default_factory=dict)

    def hear(self, message: Mapping[str, Any]) -> None:
        self.name = message.get("name") or self.name
        self.inputs = tuple(message.get("inputs") or ()) or self.inputs
        if message.get("started"):
            self.started = datetime.fromisoformat(message["started"]).timestamp()
            self.completed = None
        if message.get("completed"):
            self.completed = datetime.fromisoformat(message["completed"]).timestamp()
        self.cached = bool(message.get("cached", False))
        self.error = message.get("error") or self.error


def read_trace(text: str) -> Trace:
    """Read what `--progress=rawjson` wrote. Lines that are no JSON (the CLI's own messages) are passed over."""
    vertices: dict[str, _Vertex] = {}
    for message in _objects(text):
        for vertex in message.get("vertexes") or ():
            vertices.setdefault(vertex["digest"], _Vertex()).hear(vertex)
        for status in message.get("statuses") or ():
            moved = vertices.setdefault(status["vertex"], _Vertex()).bytes_by_id
            moved[status["id"]] = max(moved.get(status["id"], 0), int(status.get("current", 0)))
        for log in message.get("logs") or ():
            vertices.setdefault(log["vertex"], _Vertex()).log += base64.b64decode(log.get("data") or "")
    vertices = _without_neighbours(vertices)
    begin = min((v.started for v in vertices.values() if v.started is not None), default=0.0)
    steps = [_step(digest, vertex, begin) for digest, vertex in vertices.items()]
    context = [v for v in vertices.values() if v.name == "[internal] load build context"]
    return Trace(
        steps=tuple(_in_dockerfile_order(steps)),
        seconds=max((step.end_s for step in steps), default=0.0),
        context_bytes=sum(n for v in context for name, n in v.bytes_by_id.items() if name.startswith("transferring")),
    )


def _objects(text: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder()
    at = 0
    while (at := text.find("{", at)) >= 0:
        try:
            message, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError:
            at += 1
            continue
        if isinstance(message, dict):
            yield message


def _without_neighbours(vertices: dict[str, _Vertex]) -> dict[str, _Vertex]:
    """Drop steps of other people's builds: BuildKit 0.13 mixes in base images that another build holds open.

    They give themselves away: nothing here takes their result, and they started before this build did.
    """
    taken = {digest for vertex in vertices.values() for digest in vertex.inputs}
    internal = [v.started for v in vertices.values() if v.name.startswith("[internal]") and v.started is not None]
    if not internal:
        return vertices
    begin = min(internal)
    return {
        digest: v
        for digest, v in vertices.items()
        if digest in taken or v.inputs or v.started is None or v.started >= begin
    }


def _step(digest: str, vertex: _Vertex, begin: float) -> Step:
    found = NAME.fullmatch(vertex.name)
    instruction = found["instruction"] if found else vertex.name
    kind: Kind = "step"
    if not found:
        kind = "export" if vertex.name.startswith(("exporting", "importing")) else "internal"
    elif instruction.startswith("FROM "):
        kind = "from"
    start = begin if vertex.started is None else vertex.started
    end = start if vertex.completed is None else vertex.completed
    return Step(
        name=vertex.name,
        kind=kind,
        stage=(found["stage"] or "") if found else "",
        position=int(found["position"]) if found else 0,
        instruction=instruction,
        digest=digest,
        inputs=vertex.inputs,
        start_s=max(0.0, start - begin),
        end_s=max(0.0, end - begin),
        state=_state(vertex),
        error=vertex.error,
        log=vertex.log.decode(errors="replace"),
    )


def _state(vertex: _Vertex) -> State:
    if vertex.error:
        return "cancelled" if "context canceled" in vertex.error else "failed"
    if vertex.cached:
        return "cached"
    return "ran" if vertex.completed is not None else "cancelled"


def _in_dockerfile_order(steps: list[Step]) -> list[Step]:
    """Sort by stage and position. A stage comes after those whose results it takes."""
    order = {"internal": 0, "from": 1, "step": 1, "export": 2}
    by_digest = {step.digest: step for step in steps}
    taken = {digest for step in steps for digest in step.inputs}
    finished: dict[str, int] = {}
    seen: set[str] = set()

    def visit(step: Step) -> None:
        if step.digest in seen:
            return
        seen.add(step.digest)
        for digest in step.inputs:
            if digest in by_digest:
                visit(by_digest[digest])
        finished[step.stage] = len(seen)

    for step in sorted(steps, key=lambda step: step.digest in taken):
        visit(step)
    return sorted(steps, key=lambda s: (order[s.kind], finished[s.stage], s.position, s.start_s))
