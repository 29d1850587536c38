"""What goes into a build: the Dockerfile's lines and the context's files, as they are at this moment.

The Dockerfile is read as far as explaining the cache needs it: continued lines, comments, here-documents, flags,
stages, `ARG` and `ENV` (Dockerfile reference, "Format" and "Environment replacement").
"""

import hashlib
import re
import shlex
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from docker.utils.build import exclude_paths

__all__ = ["File", "Inputs", "Line", "read_context", "read_dockerfile"]

MAKES_FILES = frozenset({"FROM", "RUN", "COPY", "ADD", "WORKDIR"})
HEREDOC = re.compile(r"<<-?(['\"]?)(\w+)\1")
VARIABLE = re.compile(r"(?<!\\)\$(?:\{(\w+)[^}]*\}|(\w+))")


@dataclass(frozen=True, slots=True)
class File:
    """One file or folder of the context, with what the cache may or may not look at."""

    sha256: str
    mode: int
    size_bytes: int
    mtime_ns: int

    def same_content(self, other: "File") -> bool:
        """Whether BuildKit takes the one for the other: content and mode count, times do not, nor a folder's mode."""
        if stat.S_ISDIR(self.mode) and stat.S_ISDIR(other.mode):
            return True  # tried: a chmod of a folder rebuilds nothing
        return (self.sha256, self.mode) == (other.sha256, other.mode)


@dataclass(frozen=True, slots=True)
class Line:
    """One instruction of a Dockerfile."""

    keyword: str
    text: str
    """The whole instruction with continued lines joined, as BuildKit names the step."""
    stage: str
    position: int
    """Which step of its stage it is, from 1, as BuildKit counts; 0 when it makes no files."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """What a RUN here sees: every ARG and ENV of the stage so far."""

    @property
    def flags(self) -> dict[str, str]:
        """`--from=build` and the like; flags given more than once (mounts) are joined by spaces."""
        found: dict[str, str] = {}
        for word in self.text.split()[1:]:
            if not word.startswith("--"):
                break
            name, _equals, value = word[2:].partition("=")
            found[name] = f"{found[name]} {value}" if name in found else value
        return found

    @property
    def sources(self) -> tuple[str, ...]:
        """What a COPY or ADD takes from the context (or from `--from`)."""
        if self.keyword not in {"COPY", "ADD"}:
            return ()
        words = [word for word in shlex.split(self.text)[1:] if not word.startswith("--")]
        return tuple(words[:-1])

    def sees(self) -> dict[str, str]:
        """Return the variables this line depends on: a RUN on all in scope, others on those they name."""
        if self.keyword == "RUN":
            return dict(self.variables)
        named = {braced or bare for braced, bare in VARIABLE.findall(self.text)}
        return {name: value for name, value in self.variables.items() if name in named}


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that BuildKit was given for one build."""

    lines: tuple[Line, ...]
    files: Mapping[str, File]
    """Path below the context → file; what `.dockerignore` keeps out is not in it."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Id → hash of the value."""
    options: tuple[str, ...] = ()
    """`--no-cache`, `--no-cache-filter=…`, `--cache-from=…` as given."""

    @property
    def context_bytes(self) -> int:
        """Size of all files in the context."""
        return sum(file.size_bytes for file in self.files.values())


def read_dockerfile(text: str, arguments: Mapping[str, str] | None = None) -> tuple[Line, ...]:
    """Read a Dockerfile's instructions; `arguments` are the values of `--build-arg`."""
    given = dict(arguments or {})
    lines: list[Line] = []
    before_from: dict[str, str] = {}
    variables: dict[str, str] = {}
    known: dict[str, dict[str, str]] = {}
    stage, position, stages = "", 0, 0
    for instruction in _instructions(text):
        keyword = instruction.split(maxsplit=1)[0].upper()
        rest = instruction[len(keyword) :].strip()
        if keyword == "FROM":
            words = [word for word in rest.split() if not word.startswith("--")]
            base = _expand(words[0], before_from)
            stage = words[2] if len(words) == 3 and words[1].upper() == "AS" else f"stage-{stages}"
            stages, position = stages + 1, 0
            variables = dict(known.get(base, {}))
        elif keyword == "ARG":
            for word in shlex.split(rest):
                name, equals, default = word.partition("=")
                value = given.get(name, _expand(default, variables) if equals else before_from.get(name, ""))
                (variables if stages else before_from)[name] = value
        elif keyword == "ENV":
            variables.update({name: _expand(value, variables) for name, value in _pairs(rest)})
        if keyword in MAKES_FILES:
            position += 1
        counted = position if keyword in MAKES_FILES else 0
        lines.append(Line(keyword, instruction, stage, counted, dict(variables)))
        if stages:
            # A stage built FROM this one starts with its ENV; its ARGs end here, and count only while it is built.
            known[stage] = dict(variables)
    return tuple(lines)


def read_context(folder: Path) -> dict[str, File]:
    """Read every file of a build context that `.dockerignore` lets through."""
    ignore = folder / ".dockerignore"
    lines = ignore.read_text().splitlines() if ignore.exists() else []
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    paths = exclude_paths(str(folder), patterns) if patterns else _all(folder)
    return {path: _file(folder / path) for path in sorted(paths)}


def _all(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def _file(path: Path) -> File:
    status = path.lstat()
    if path.is_symlink():
        content = str(path.readlink()).encode()
    elif path.is_file():
        content = path.read_bytes()
    else:
        content = b""
    size = status.st_size if path.is_file() and not path.is_symlink() else 0
    return File(hashlib.sha256(content).hexdigest(), status.st_mode, size, status.st_mtime_ns)


def _instructions(text: str) -> Iterator[str]:
    """Yield each instruction on one line: comments dropped, continued lines joined, here-documents kept whole."""
    rows = iter(text.splitlines())
    for row in rows:
        if not row.strip() or row.lstrip().startswith("#"):
            continue
        parts = [row.strip()]
        while parts[-1].endswith("\\"):
            parts[-1] = parts[-1][:-1].rstrip()
            following = next(rows, "")
            while following.lstrip().startswith("#"):
                following = next(rows, "")
            parts.append(following.strip())
        instruction = " ".join(part for part in parts if part)
        if instruction.split(maxsplit=1)[0].upper() in {"RUN", "COPY", "ADD"}:
            for _quote, end in HEREDOC.findall(instruction):
                body = []
                for line in rows:
                    if line.strip() == end:
                        break
                    body.append(line)
                instruction += "\n" + "\n".join(body)
        yield instruction


def _pairs(rest: str) -> Iterator[tuple[str, str]]:
    """Read `A=1 B="2 3"` and the old `A 1`."""
    if "=" not in rest.split(maxsplit=1)[0]:
        name, _space, value = rest.partition(" ")
        yield name, value.strip()
        return
    for word in shlex.split(rest):
        name, _equals, value = word.partition("=")
        yield name, value


def _expand(text: str, variables: Mapping[str, str]) -> str:
    return VARIABLE.sub(lambda found: variables.get(found[1] or found[2], ""), text)
