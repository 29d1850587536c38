"""Why a step was built again: two builds compared, input by input.

A step's cache key is made of its own definition (text, ARG, ENV, mounts), the content of the files it takes, and
the key of the step above it. The comparison goes through these in that order; the first difference is the reason.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

import pandas as pd

from docker_tutor.i18n import _
from docker_tutor.topics.builds_source import File, Inputs, Line
from docker_tutor.topics.builds_trace import Step, Trace

__all__ = ["Reason", "Reasons", "explain"]

Cause = Literal[
    "unchanged",
    "told",
    "new",
    "moved",
    "text",
    "variable",
    "files",
    "above",
    "stage",
    "forgotten",
    "stale",
    "known",
    "same output",
    "secret",
    "failed",
]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one line of the Dockerfile was carried out, or was not."""

    instruction: str
    state: str
    cause: Cause
    sentence: str
    """For a person: which input is different."""


@dataclass(frozen=True, slots=True)
class Reasons:
    """The reasons for all lines of one build, in the order of the Dockerfile."""

    all: tuple[Reason, ...]

    def of(self, beginning: str) -> Reason:
        """Return the reason for the first line that begins with `beginning`. Raises KeyError."""
        for reason in self.all:
            if reason.instruction.startswith(beginning):
                return reason
        raise KeyError(beginning)

    def to_frame(self) -> pd.DataFrame:
        """One row for each line."""
        rows = [{"line": r.instruction, "state": r.state, "cause": r.cause, "why": r.sentence} for r in self.all]
        return pd.DataFrame(rows, columns=["line", "state", "cause", "why"])


@dataclass(frozen=True, slots=True)
class _Comparison:
    before: Inputs
    after: Inputs
    ran: frozenset[tuple[str, int]]
    """Stage and position of the lines that were carried out."""

    def reason(self, line: Line, step: Step) -> tuple[Cause, str]:
        if step.state == "failed":
            return "failed", step.error
        old = self._counterpart(line)
        if step.cached:
            return self._why_cached(line)
        return next(self._causes(line, old))

    def _causes(self, line: Line, old: Line | None) -> Iterator[tuple[Cause, str]]:
        """Yield what would each be enough for the line to run, in the order in which the key is made."""
        for option in self.after.options:
            flag, _equals, stages = option.partition("=")
            if flag == "--no-cache" or (flag == "--no-cache-filter" and line.stage in stages.split(",")):
                yield "told", _("{option} says not to look into the cache").format(option=option)
        if old is None or old.text != line.text:
            yield self._why_other(line, old)
            return
        now, was = line.sees(), old.sees()
        for name in sorted(now.keys() | was.keys()):
            if now.get(name) != was.get(name):
                yield (
                    "variable",
                    _("{name} was {was!r} and is {now!r}").format(name=name, was=was.get(name), now=now.get(name)),
                )
        yield from (("files", difference) for difference in self._changed_files(line))
        if (line.stage, line.position - 1) in self.ran:
            yield "above", _("the line above it ran and made a new layer to build on")
        for stage in _stages(line):
            if any(name == stage for name, _position in self.ran):
                yield "stage", _("stage {stage} made other files").format(stage=stage)
        yield "forgotten", _("nothing it depends on is different: the cache had no result for it any more")

    def _why_other(self, line: Line, old: Line | None) -> tuple[Cause, str]:
        if any(other.text == line.text for other in self.before.lines):
            return "moved", _("the same line stood elsewhere: it now builds on another layer")
        if old is not None and old.keyword == line.keyword:
            return "text", _("its text was: {text}").format(text=old.text)
        return "new", _("there was no such line before")

    def _why_cached(self, line: Line) -> tuple[Cause, str]:
        changed = [
            (path, self.before.files[path], file)
            for path, file in self._taken(line, self.after.files)
            if path in self.before.files and not file.same_content(self.before.files[path])
        ]
        for path, was, now in changed:
            if (was.size_bytes, was.mtime_ns, was.mode) == (now.size_bytes, now.mtime_ns, now.mode):
                said = _("{path} has other content, yet size and time are the same: it was not sent")
                return "stale", said.format(path=path)
        if changed:
            said = _("{path} is different, and a build before these two has had it as it is now")
            return "known", said.format(path=changed[0][0])
        if any(name == stage for stage in _stages(line) for name, _position in self.ran):
            return "same output", _("the stage it copies from ran again and made the very same files")
        secrets = _secrets(line)
        if any(self.before.secrets.get(name) != self.after.secrets.get(name) for name in secrets):
            return "secret", _("the secret has another value, and a secret's value is no part of the key")
        return "unchanged", _("nothing it depends on is different")

    def _counterpart(self, line: Line) -> Line | None:
        for other in self.before.lines:
            if (other.stage, other.position) == (line.stage, line.position) and other.position:
                return other
        return None

    def _changed_files(self, line: Line) -> Iterator[str]:
        before = dict(self._taken(line, self.before.files))
        after = dict(self._taken(line, self.after.files))
        for path in sorted(before.keys() | after.keys()):
            if path not in before:
                yield _("{path} is new").format(path=path)
            elif path not in after:
                yield _("{path} is gone").format(path=path)
            elif before[path].same_content(after[path]):
                continue
            elif before[path].sha256 != after[path].sha256:
                yield _("{path} has other content").format(path=path)
            else:
                yield _("{path} had mode {was:o} and has {now:o}").format(
                    path=path, was=before[path].mode & 0o7777, now=after[path].mode & 0o7777
                )

    def _taken(self, line: Line, files: Mapping[str, File]) -> Iterator[tuple[str, File]]:
        """Yield the context's files that this line takes."""
        patterns = () if "from" in line.flags else line.sources
        mounts = line.flags.get("mount", "").split()
        if any("type=bind" in mount and "from=" not in mount for mount in mounts):
            patterns = (*patterns, ".")
        for path, file in files.items():
            if any(_matches(path, pattern) for pattern in patterns):
                yield path, file


def explain(before: Inputs, after: Inputs, trace: Trace) -> Reasons:
    """Say for each line of the second build, whose trace this is, why it ran, or why not."""
    places = _places(after, trace)
    ran = frozenset(place for place, step in places.items() if step.kind == "step" and step.state == "ran")
    comparison = _Comparison(before, after, ran)
    reasons = []
    for line in after.lines:
        step = places.get((line.stage, line.position))
        if step is None or line.keyword == "FROM":
            continue
        cause, sentence = comparison.reason(line, step)
        reasons.append(Reason(line.text, step.state, cause, sentence))
    return Reasons(tuple(reasons))


def _places(inputs: Inputs, trace: Trace) -> dict[tuple[str, int], Step]:
    """Which step of the trace belongs to which line. BuildKit leaves the name out where there is one stage."""
    stages = {line.stage for line in inputs.lines if line.stage}
    only = next(iter(stages)) if len(stages) == 1 else ""
    return {(step.stage or only, step.position): step for step in trace.steps if step.position}


def _stages(line: Line) -> tuple[str, ...]:
    """Return the stages whose files this line takes, besides its own."""
    found = [line.flags["from"]] if "from" in line.flags else []
    for mount in line.flags.get("mount", "").split():
        found += [part.partition("=")[2] for part in mount.split(",") if part.startswith("from=")]
    return tuple(found)


def _secrets(line: Line) -> tuple[str, ...]:
    mounts = [mount.split(",") for mount in line.flags.get("mount", "").split()]
    return tuple(
        part.partition("=")[2] for mount in mounts if "type=secret" in mount for part in mount if part.startswith("id=")
    )


def _matches(path: str, pattern: str) -> bool:
    pattern = pattern.removeprefix("./").strip("/")
    return pattern in {"", "."} or fnmatchcase(path, pattern) or path.startswith(f"{pattern}/")
