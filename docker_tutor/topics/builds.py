"""Run `docker buildx build` and keep what BuildKit told about it, together with what it was given.

Builds go through the command line (the Python SDK knows only the old builder). `builds_trace` reads the
progress, `builds_source` the inputs, and `builds_why` compares two builds and says why a step ran.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.errors import CommandFailed
from docker_tutor.i18n import _
from docker_tutor.topics.builds_source import Inputs, read_context, read_dockerfile
from docker_tutor.topics.builds_trace import Step, Trace, read_trace
from docker_tutor.topics.builds_why import Reason, Reasons, explain

__all__ = ["Build", "Reason", "Reasons", "Step", "Trace", "build", "why", "write_context"]

TIME_LIMIT_S = 600.0


@dataclass(frozen=True, slots=True)
class Build:
    """One build: what it was given, what it did, and the image it made."""

    tag: str | None
    trace: Trace
    inputs: Inputs
    error: str = ""
    """What the CLI said when the build failed; empty when it succeeded."""

    @property
    def ok(self) -> bool:
        """Whether the build succeeded."""
        return not self.error

    @property
    def seconds(self) -> float:
        """How long BuildKit was at it."""
        return self.trace.seconds

    def to_frame(self) -> pd.DataFrame:
        """One row for each step."""
        return self.trace.to_frame()


def build(
    room: Room,
    context: Path | str,
    *,
    tag: str | None = None,
    dockerfile: str | None = None,
    arguments: Mapping[str, str] | None = None,
    secrets: Mapping[str, Path] | None = None,
    options: Sequence[str] = (),
    check: bool = True,
) -> Build:
    """Build `context` (a folder, relative to the room's own) and return the build with its trace.

    Without a `tag` no image is made, only the cache is filled.

    `dockerfile` is the text of one to use instead of the context's own. `options` are further words of
    `docker buildx build`, for example `["--no-cache"]` or `["--target", "build"]`.
    Raises CommandFailed when the build fails, unless `check` is off.
    """
    folder = room.folder / context
    words = ["buildx", "build", "--progress=rawjson"]
    # Without a tag only the cache is wanted: an image without a name would be left lying about.
    words += ["--tag", tag] if tag else ["--output=type=cacheonly"]
    for name, value in (arguments or {}).items():
        words += ["--build-arg", f"{name}={value}"]
    for name, path in (secrets or {}).items():
        words += ["--secret", f"id={name},src={path}"]
    text = (folder / "Dockerfile").read_text() if dockerfile is None else dockerfile
    if dockerfile is not None:
        # Beside the context, not in it: a file that is written anew must not count as a change of the context.
        elsewhere = room.folder / f".{folder.name}.Dockerfile"
        elsewhere.write_text(dockerfile)
        words += ["--file", str(elsewhere)]
    inputs = Inputs(
        lines=read_dockerfile(text, arguments),
        files=read_context(folder),
        secrets={name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in (secrets or {}).items()},
        options=tuple(options),
    )
    done = room.cli(*words, *options, str(folder), check=False, timeout_s=TIME_LIMIT_S)
    trace = read_trace(done.stderr)
    error = "" if done.returncode == 0 else _error(done.stderr)
    if error and check:
        failed = [step for step in trace.steps if step.state == "failed"]
        log = "\n".join(f"{step.name}\n{step.log}" for step in failed)
        raise CommandFailed(_("docker buildx build failed: {error}\n{log}").format(error=error, log=log))
    return Build(tag=tag, trace=trace, inputs=inputs, error=error)


def why(before: Build, after: Build) -> Reasons:
    """Say for each line of `after` why it ran, or why it did not, compared with the build before it."""
    return explain(before.inputs, after.inputs, after.trace)


def write_context(folder: Path, files: Mapping[str, str], *, mtime_ns: int | None = None) -> Path:
    """Write a small build context; with `mtime_ns`, all its files get that modification time. Returns the folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o644)
        if mtime_ns is not None:
            os.utime(path, ns=(mtime_ns, mtime_ns))
    return folder


def _error(text: str) -> str:
    """Return the CLI's own last words, without the JSON before them."""
    lines = [line for line in text.splitlines() if line.startswith(("ERROR", "error"))]
    return lines[-1] if lines else _("it ended without saying why")
