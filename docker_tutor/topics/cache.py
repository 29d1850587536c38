"""The rules of the build cache, each tried: one Dockerfile, one change at a time, and what BuildKit then did.

Every experiment starts from the same context, changes one thing, builds, and puts it back. The first build carries a
number of its own, so that no result of an earlier run can be found in the cache.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _
from docker_tutor.topics import builds
from docker_tutor.topics.cache_experiments import EXPERIMENTS, LABELS, LINES, ORACLE, Bench, Experiment
from docker_tutor.topics.cache_share import Shared, share
from docker_tutor.topics.cache_stale import StaleRun, stale_run
from docker_tutor.topics.cache_strategies import Comparison, Side, cache_mount, order, smaller_context, wheel

__all__ = [
    "EXPERIMENTS",
    "LABELS",
    "LINES",
    "ORACLE",
    "Cell",
    "Comparison",
    "Experiment",
    "Grid",
    "Shared",
    "Side",
    "StaleRun",
    "cache_mount",
    "order",
    "rules",
    "share",
    "smaller_context",
    "stale_run",
    "wheel",
]

State = Literal["cached", "ran"]


@dataclass(frozen=True, slots=True)
class Cell:
    """What became of one line in one experiment."""

    line: str
    experiment: str
    state: State
    seconds: float
    cause: str
    why: str


@dataclass(frozen=True, slots=True)
class Grid:
    """Lines × experiments: what BuildKit took from its cache, and what it did again."""

    lines: Mapping[str, str]
    """Key → what to call the row."""
    experiments: Mapping[str, str]
    """Key → what to call the column."""
    cells: tuple[Cell, ...]
    sent_bytes: Mapping[str, int]
    """Experiment → bytes of the context that were sent for it."""
    by_the_rules: Mapping[str, frozenset[str]]
    """Experiment → lines that had to run by the rules."""

    def ran(self, experiment: str) -> frozenset[str]:
        """Return the keys of the lines that ran in one experiment."""
        return frozenset(c.line for c in self.cells if c.experiment == experiment and c.state == "ran")

    def cell(self, line: str, experiment: str) -> Cell:
        """Return one cell. Raises KeyError."""
        for cell in self.cells:
            if (cell.line, cell.experiment) == (line, experiment):
                return cell
        raise KeyError((line, experiment))

    @property
    def surprises(self) -> tuple[str, ...]:
        """Experiments in which something else ran than the rules say."""
        return tuple(key for key in self.experiments if self.ran(key) != self.by_the_rules[key])

    def only(self, experiments: Iterable[str]) -> "Grid":
        """Return the grid with some of its columns."""
        keys = tuple(experiments)
        return Grid(
            self.lines,
            {key: self.experiments[key] for key in keys},
            tuple(cell for cell in self.cells if cell.experiment in keys),
            {key: self.sent_bytes[key] for key in keys},
            {key: self.by_the_rules[key] for key in keys},
        )

    def to_frame(self) -> pd.DataFrame:
        """One row for each experiment, one column for each line."""
        rows = [
            {"experiment": name} | {label: self.cell(line, key).state for line, label in self.lines.items()}
            for key, name in self.experiments.items()
        ]
        return pd.DataFrame(rows)

    def why(self) -> pd.DataFrame:
        """Return the lines that ran, or that stayed cached though something changed, each with its reason."""
        rows = [
            {"experiment": self.experiments[c.experiment], "line": self.lines[c.line]}
            | {"state": c.state, "why": c.why}
            for c in self.cells
            if c.cause not in {"unchanged", "above"}
        ]
        return pd.DataFrame(rows, columns=["experiment", "line", "state", "why"])


def rules(room: Room, *, base: str = "alpine:3.19", experiments: Iterable[str] | None = None) -> Grid:
    """Build once, then once for each experiment, and say which lines ran. Leaves no image behind.

    `experiments` are keys of EXPERIMENTS; they are carried out in the order of that list. Raises CommandFailed.
    """
    wanted = set(experiments) if experiments is not None else {experiment.key for experiment in EXPERIMENTS}
    chosen = [experiment for experiment in EXPERIMENTS if experiment.key in wanted]
    nonce = uuid.uuid4().hex[:8]
    bench = Bench(room.folder / f"cache-rules-{nonce}", nonce)
    bench.reset()

    def build() -> builds.Build:
        return builds.build(
            room,
            bench.folder,
            dockerfile=bench.dockerfile().replace("{base}", base),
            arguments=bench.arguments,
            secrets={"token": bench.secret},
        )

    first = build()
    cells: list[Cell] = []
    sent: dict[str, int] = {}
    for experiment in chosen:
        bench.reset()
        experiment.change(bench)
        after = build()
        reasons = {reason.instruction: reason for reason in builds.why(first, after).all}
        sent[experiment.key] = after.trace.context_bytes
        for key, line in LINES.items():
            text = line.format(nonce=nonce, **bench.words).strip()
            step = after.trace.line(text)
            state: State = "ran" if step.state == "ran" else "cached"
            reason = reasons[text]
            cells.append(Cell(key, experiment.key, state, step.seconds, reason.cause, reason.sentence))
    return Grid(
        lines={key: _(label) for key, label in LABELS.items()},
        experiments={experiment.key: _(experiment.label) for experiment in chosen},
        cells=tuple(cells),
        sent_bytes=sent,
        by_the_rules={experiment.key: frozenset(experiment.runs) for experiment in chosen},
    )
