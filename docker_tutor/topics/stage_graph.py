"""The stages of a Dockerfile as a graph: who is built on whom, and who copies from whom.

BuildKit makes such a graph out of the file, starts at the stage that is asked for, and goes back from there; what it
does not meet is not built. Source: Dockerfile reference, FROM, COPY --from and RUN --mount.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import networkx as nx
import pandas as pd

from docker_tutor.topics.builds_source import Line, read_dockerfile
from docker_tutor.topics.builds_trace import Trace

__all__ = ["Edge", "StageGraph", "read"]

Why = Literal["FROM", "COPY", "RUN"]
Fate = Literal["ran", "cached", "skipped"]


@dataclass(frozen=True, slots=True)
class Edge:
    """One stage takes something from another one, or from an image."""

    source: str
    stage: str
    why: Why
    """`FROM` is built on it, `COPY` takes files, `RUN` mounts it."""


@dataclass(frozen=True, slots=True)
class StageGraph:
    """A Dockerfile's stages in their order, the images they begin with, and what each takes from where."""

    stages: tuple[str, ...]
    images: tuple[str, ...]
    edges: tuple[Edge, ...]

    @property
    def last(self) -> str:
        """The stage that a build without `--target` makes."""
        return self.stages[-1]

    def network(self) -> "nx.DiGraph[str]":
        """Return the same as a networkx graph, with edges in the direction in which files go."""
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(self.images, kind="image")
        graph.add_nodes_from(self.stages, kind="stage")
        graph.add_edges_from((edge.source, edge.stage) for edge in self.edges)
        return graph

    def needed(self, target: str | None = None) -> tuple[str, ...]:
        """Return the stages that `target` (the last one, if None) needs, itself included. Raises KeyError."""
        wanted = target or self.last
        if wanted not in self.stages:
            raise KeyError(wanted)
        before = nx.ancestors(self.network(), wanted) | {wanted}
        return tuple(stage for stage in self.stages if stage in before)

    def independent(self) -> tuple[tuple[str, str], ...]:
        """Return the pairs of stages of which neither waits for the other: they may run at the same time."""
        graph = self.network()
        waits = {stage: nx.ancestors(graph, stage) for stage in self.stages}
        return tuple(
            (one, other)
            for place, one in enumerate(self.stages)
            for other in self.stages[place + 1 :]
            if one not in waits[other] and other not in waits[one]
        )

    def fates(self, trace: Trace) -> dict[str, Fate]:
        """Say for each stage what a build did with it: carried something out, had it all, or never looked at it."""
        fates: dict[str, Fate] = {}
        for stage in self.stages:
            steps = [step for step in trace.steps if step.stage == stage]
            # BuildKit looks the base image up each time; that is no work of the stage.
            busy = any(step.kind == "step" and not step.cached for step in steps)
            fates[stage] = "skipped" if not steps else "ran" if busy else "cached"
        return fates

    def to_frame(self) -> pd.DataFrame:
        """One row for each thing that a stage takes."""
        rows = [(edge.stage, edge.why, edge.source, edge.source in self.images) for edge in self.edges]
        return pd.DataFrame(rows, columns=["stage", "by", "from", "an image"])


def read(dockerfile: str) -> StageGraph:
    """Read the stages out of a Dockerfile's text. A stage without a name is called `stage-N`, as BuildKit does."""
    lines = read_dockerfile(dockerfile)
    stages = tuple(dict.fromkeys(line.stage for line in lines if line.keyword == "FROM"))
    edges: dict[Edge, None] = {}
    for line in lines:
        for source, why in _takes(line, stages):
            edges[Edge(source, line.stage, why)] = None
    images = tuple(dict.fromkeys(edge.source for edge in edges if edge.source not in stages))
    return StageGraph(stages, images, tuple(edges))


def _takes(line: Line, stages: tuple[str, ...]) -> Iterator[tuple[str, Why]]:
    """Yield what a line takes: `scratch` is nothing, and a number counts the stages from 0."""
    if line.keyword == "FROM":
        base = next(word for word in line.text.split()[1:] if not word.startswith("--"))
        if base != "scratch":
            yield base, "FROM"
    elif line.keyword == "COPY" and "from" in line.flags:
        yield _named(line.flags["from"], stages), "COPY"
    elif line.keyword == "RUN":
        for mount in line.flags.get("mount", "").split():
            for option in mount.split(","):
                if option.startswith("from="):
                    yield _named(option.removeprefix("from="), stages), "RUN"


def _named(source: str, stages: tuple[str, ...]) -> str:
    return stages[int(source)] if source.isdigit() and int(source) < len(stages) else source
