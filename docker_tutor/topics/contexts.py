"""What a build is sent: the bytes of its context, without and with `.dockerignore`, as BuildKit counts them.

Source: Docker's documentation, "Build context"; BuildKit's trace, `transferring context`.
"""

import os
import uuid
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _
from docker_tutor.topics import builds
from docker_tutor.units import MiB

__all__ = ["IGNORED", "Context", "Contexts", "compare"]

BASE = "alpine:3.19"
IGNORED = (".git", "node_modules", "*.log", ".env", "Dockerfile", "docker-compose.yml")
"""The text's list."""
PROJECT = {
    "app.py": "print('hello')\n",
    ".env": "PASSWORD=hunter2\n",
    "build.log": "compiled\n" * 2000,
    "docker-compose.yml": "services: {}\n",
    "Dockerfile": f"FROM {BASE}\nCOPY . /app\n",
}
HEAVY = {".git/objects/pack": 8 * MiB, "node_modules/library/index.js": 4 * MiB}
"""Files that a project has and an image does not need, with their sizes."""


@dataclass(frozen=True, slots=True)
class Context:
    """One build: what was sent, and what arrived in the image."""

    way: str
    sent_bytes: int
    arrived: tuple[str, ...]
    """The files that `COPY . /app` put into the image."""


@dataclass(frozen=True, slots=True)
class Contexts:
    """The same folder, sent without and with a `.dockerignore`."""

    folder_bytes: int
    rows: tuple[Context, Context]

    @property
    def without(self) -> Context:
        """The build without a list."""
        return self.rows[0]

    @property
    def with_list(self) -> Context:
        """The build with the text's list."""
        return self.rows[1]

    def to_frame(self) -> pd.DataFrame:
        """Return one line per build."""
        rows = [(row.way, row.sent_bytes, len(row.arrived), " ".join(row.arrived)) for row in self.rows]
        return pd.DataFrame(rows, columns=["way", "sent [B]", "files", "in the image"])


def compare(room: Room) -> Contexts:
    """Build `COPY . /app` of a small project with a history, packages and a password, without and with the list."""
    # Builds from a folder that was sent before get only what differs: each has one of its own.
    nonce = uuid.uuid4().hex[:8]
    without = _build(room, _("no .dockerignore"), _project(room.folder / f"context-{nonce}-all"))
    listed = _project(room.folder / f"context-{nonce}-listed")
    size = sum(path.stat().st_size for path in listed.rglob("*") if path.is_file())
    builds.write_context(listed, {".dockerignore": "\n".join(IGNORED) + "\n"})
    return Contexts(size, (without, _build(room, ".dockerignore", listed)))


def _project(folder: Path) -> Path:
    builds.write_context(folder, PROJECT)
    for name, size in HEAVY.items():
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_bytes(os.urandom(size))
    return folder


def _build(room: Room, way: str, folder: Path) -> Context:
    tag = room.unique("context")
    made = builds.build(room, folder, tag=tag)
    try:
        listed = room.cli("run", "--rm", "--network", "none", tag, "find", "/app", "-type", "f").stdout
    finally:
        room.cli("rmi", "-f", tag)
    arrived = sorted(line.removeprefix("/app/") for line in listed.splitlines())
    return Context(way, made.trace.context_bytes, tuple(arrived))
