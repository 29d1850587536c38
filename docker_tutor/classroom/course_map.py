"""Which sections of the course have been checked on this machine: the notebooks' claims held against the records.

A section is what stands under a heading of the second rank; its claims are the texts of its `check` calls and its
questions those of its `predict` calls, read from the notebooks' code, so that nobody keeps a second list.
"""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pandas as pd

from docker_tutor import paths
from docker_tutor.classroom import records
from docker_tutor.i18n import _

__all__ = ["Claim", "CourseMap", "Section", "claims", "read"]

HEADING = re.compile(r"^## +(.+)$", re.MULTILINE)
State = Literal["open", "begun", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Section:
    """One section, and how far the learner came in it."""

    notebook: str
    title: str
    claims: int
    """How many claims its cells check."""
    held: int
    """Claims whose latest check held."""
    failed: int
    """Claims whose latest check failed."""
    questions: int
    answered: int
    right: int
    """Questions whose latest answer was right."""

    @property
    def state(self) -> State:
        """`failed` if any claim failed last time, `done` when all held, `begun` when some did, else `open`."""
        if self.failed:
            return "failed"
        if self.held == self.claims:
            return "done"
        return "begun" if self.held or self.answered else "open"


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim of a notebook, and what was found when it was last checked on this machine."""

    section: str
    cell: int
    """The code cell that checks it, counted from 1."""
    text: str
    held: bool | None = None
    """None for a claim not checked yet, or for which this engine lacks something."""
    found: str = ""


@dataclass(frozen=True, slots=True)
class CourseMap:
    """Every section of the course that checks something, in order."""

    sections: tuple[Section, ...]

    def notebook(self, name: str) -> tuple[Section, ...]:
        """Return the sections of one notebook."""
        return tuple(section for section in self.sections if section.notebook == name)

    @property
    def notebooks(self) -> tuple[str, ...]:
        """The notebooks that have sections, in order."""
        return tuple(dict.fromkeys(section.notebook for section in self.sections))

    def to_frame(self) -> pd.DataFrame:
        """Return one line per section."""
        words = {"open": _("open"), "begun": _("begun"), "done": _("done"), "failed": _("a check failed")}
        rows = [
            (s.notebook, s.title, words[s.state], f"{s.held}/{s.claims}", f"{s.right}/{s.questions}")
            for s in self.sections
        ]
        columns = [_("notebook"), _("section"), _("state"), _("checks that held"), _("predictions right")]
        return pd.DataFrame(rows, columns=columns)


def read(folder: Path | None = None) -> CourseMap:
    """Hold the notebooks in `folder` (the course's own, by default) against what was recorded on this machine."""
    found: list[Section] = []
    for path in sorted((folder or paths.checkout() / "notebooks").glob("*.ipynb")):
        latest = {(str(record.kind), record.text): record.held for record in records.read(path.stem)}
        for title, texts in groupby(_texts_of(path), attrgetter("section")):
            both = list(texts)
            claims = [each.text for each in both if each.kind == "check"]
            questions = [each.text for each in both if each.kind == "predict"]
            if not claims:
                continue
            checks = [latest[key] for claim in claims if (key := ("check", claim)) in latest]
            answers = [latest[key] for question in questions if (key := ("prediction", question)) in latest]
            counts = checks.count(True), checks.count(False)
            found.append(
                Section(path.stem, title, len(claims), *counts, len(questions), len(answers), answers.count(True))
            )
    return CourseMap(tuple(found))


def claims(notebook: Path) -> list[Claim]:
    """Return the claims of one notebook in order, each with what was recorded for it last on this machine."""
    recorded = (record for record in records.read(notebook.stem) if record.kind == "check")
    latest = {record.text: (record.held, record.detail) for record in recorded}
    return [
        Claim(each.section, each.cell, each.text, *latest.get(each.text, ()))
        for each in _texts_of(notebook)
        if each.kind == "check"
    ]


class _Text(NamedTuple):
    section: str
    cell: int
    kind: str
    text: str


def _texts_of(notebook: Path) -> Iterator[_Text]:
    """Yield what a notebook claims and asks, in order."""
    title, number = "", 0
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            title = next((heading.strip() for heading in reversed(HEADING.findall(source))), title)
        elif cell["cell_type"] == "code":
            number += 1
            if not source.startswith("%%") and not _fails_on_purpose(cell):
                for kind in ("check", "predict"):
                    yield from (_Text(title, number, kind, text) for text in _texts(source, kind))


def _fails_on_purpose(cell: dict[str, Any]) -> bool:
    return "raises-exception" in cell.get("metadata", {}).get("tags", [])


def _texts(source: str, function: str) -> list[str]:
    """Return the first argument of every call of `function` that is a plain text."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []  # a cell with IPython's own syntax checks nothing
    return [
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == function
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    ]
