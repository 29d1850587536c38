"""The experiments of `cache`: a Dockerfile of seven lines, a context, and one change at a time."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from docker_tutor.topics import builds

__all__ = ["EXPERIMENTS", "LABELS", "LINES", "ORACLE", "Bench", "Experiment"]

LINES: dict[str, str] = {
    "tools": "RUN echo {nonce} > /tool{upstream}",
    "workdir": "WORKDIR /app",
    "copy from": "COPY --from=tools /tool /usr/local/bin/",
    "copy list": "COPY requirements.txt ./",
    "install": "RUN --mount=type=secret,id=token cat requirements.txt > installed{comment}",
    "copy all": "COPY . .",
    "build": "RUN cat app.py > built",
}
"""Key → line of the Dockerfile under test. The key is what a row of the grid is called in code."""

LABELS: dict[str, str] = {
    "tools": "RUN in stage tools",
    "workdir": "WORKDIR /app",
    "copy from": "COPY --from=tools",
    "copy list": "COPY requirements.txt",
    "install": "RUN install (secret)",
    "copy all": "COPY . .",
    "build": "RUN build",
}

PAST_NS = 1_700_000_000 * 10**9
"""The modification time that every file of the context has to begin with."""


@dataclass
class Bench:
    """The context under test and what an experiment may change about it."""

    folder: Path
    nonce: str
    words: dict[str, str] = field(default_factory=lambda: {"upstream": "", "comment": ""})
    order: list[str] = field(default_factory=lambda: list(LINES))
    arguments: dict[str, str] = field(default_factory=dict)
    mode: str = "plain"

    @property
    def app(self) -> Path:
        """The file that most experiments change."""
        return self.folder / "app.py"

    @property
    def secret(self) -> Path:
        """The secret's file, beside the context."""
        return self.folder.parent / f"{self.folder.name}.token"

    def dockerfile(self) -> str:
        """Return the Dockerfile as it stands, `{base}` still to be filled in."""
        lines = [LINES[key].format(nonce=self.nonce, **self.words) for key in self.order]
        head = ["FROM {base} AS tools", lines[0], "FROM {base}", f"ENV RUN_ID={self.nonce} MODE={self.mode}"]
        return "\n".join([*head, *lines[1:6], "ARG VERSION=1", lines[6]])

    def reset(self) -> None:
        """Put everything back to what the first build saw."""
        self.words, self.order, self.arguments, self.mode = {"upstream": "", "comment": ""}, list(LINES), {}, "plain"
        texts = {"requirements.txt": f"# run {self.nonce}\n", "app.py": f"print('{self.nonce} a')\n"}
        builds.write_context(self.folder, texts, mtime_ns=PAST_NS)
        self.secret.write_text("first value")


def _write(bench: Bench, *, mtime_ns: int | None) -> None:
    bench.app.write_text(f"print('{bench.nonce} b')\n")
    if mtime_ns is not None:
        os.utime(bench.app, ns=(mtime_ns, mtime_ns))


def _copy_all_first(bench: Bench) -> None:
    bench.order.remove("copy all")
    bench.order.insert(bench.order.index("install"), "copy all")


def _leave(bench: Bench) -> None:
    """Change nothing: the control."""
    _ = bench


@dataclass(frozen=True, slots=True)
class Experiment:
    """One change, and the lines that the rules say must run again."""

    key: str
    label: str
    change: Callable[[Bench], object]
    runs: tuple[str, ...]
    """Keys of the lines that run again, by the rules as this course states them."""


REST = ("copy all", "build")
FROM_LIST = ("copy list", "install", *REST)

EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment("nothing", "nothing changed", _leave, ()),
    # Directly after a build of the same files: what counts here is what BuildKit was sent last.
    Experiment("same mtime", "edit app.py, same size and time", lambda bench: _write(bench, mtime_ns=PAST_NS), ()),
    Experiment("cured", "the same, then touch", lambda bench: _write(bench, mtime_ns=None), REST),
    Experiment("touch", "touch app.py", lambda bench: os.utime(bench.app), ()),
    Experiment(
        "byte", "edit a byte of app.py", lambda bench: bench.app.write_text(f"print('{bench.nonce} c')\n"), REST
    ),
    Experiment("chmod", "chmod +x app.py", lambda bench: bench.app.chmod(0o755), REST),
    Experiment(
        "list",
        "edit requirements.txt",
        lambda bench: (bench.folder / "requirements.txt").write_text(f"# run {bench.nonce} b\n"),
        FROM_LIST,
    ),
    Experiment("secret", "another secret", lambda bench: bench.secret.write_text("second value"), ()),
    Experiment(
        "upstream", "tools reruns, same output", lambda bench: bench.words.update(upstream=" # again"), ("tools",)
    ),
    Experiment("text", "comment in RUN", lambda bench: bench.words.update(comment=" # again"), ("install", *REST)),
    Experiment("arg", "build-arg VERSION=2", lambda bench: bench.arguments.update(VERSION="2"), ("build",)),
    Experiment("env", "ENV MODE", lambda bench: setattr(bench, "mode", "fast"), ("install", *REST)),
    Experiment("moved", "COPY . . above install", _copy_all_first, ("install", *REST)),
)
"""In the order in which they are carried out."""

ORACLE: tuple[str, ...] = ("touch", "chmod", "same mtime", "secret", "upstream")
"""The experiments that the reader is asked to predict."""
