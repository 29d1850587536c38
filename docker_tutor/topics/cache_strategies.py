"""What a good order, a small context and a cache mount are worth: the same edit, built two ways, on the clock."""

import io
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.topics import builds
from docker_tutor.topics.cache_experiments import PAST_NS
from docker_tutor.units import MiB

__all__ = ["Comparison", "Side", "cache_mount", "order", "smaller_context", "wheel"]

INSTALL = "RUN pip install --quiet --no-index --find-links wheels --root-user-action=ignore --target /deps -r {list}"
SOURCES_FIRST = """FROM {base}
WORKDIR /app
COPY . .
{install}
CMD ["python", "app.py"]
"""
LIST_FIRST = """FROM {base}
WORKDIR /app
COPY wheels wheels
COPY requirements.txt .
{install}
COPY . .
CMD ["python", "app.py"]
"""
COMPILE = """FROM {base}
WORKDIR /app
COPY . .
RUN {mount}PYTHONPYCACHEPREFIX=/cache python -m compileall -x site-packages app.py \\
    $(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
"""
"""Compiles the application and, in place of the rest of a large project, Python's own library."""
IGNORED = ".git\nnode_modules\ndist\n*.log\n.env*\nDockerfile*\ndocker-compose*\n"
"""The seed's list of what a build need not see."""


@dataclass(frozen=True, slots=True)
class Side:
    """One way of writing it: the first build, and the build after an edit of one source file."""

    name: str
    first_s: float
    rebuild_s: float
    first_bytes: int
    """Context sent for the first build."""
    ran: tuple[str, ...]
    """Lines that the rebuild carried out."""
    work: int = 0
    """What the costly line did in the rebuild (files compiled), where that can be counted."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same edit, built two ways."""

    edit: str
    before: Side
    after: Side

    @property
    def times_faster(self) -> float:
        """Rebuild before ÷ rebuild after."""
        return self.before.rebuild_s / self.after.rebuild_s

    def to_frame(self) -> pd.DataFrame:
        """One row for each way."""
        return pd.DataFrame(
            {
                "way": side.name,
                "first build [s]": round(side.first_s, 2),
                "rebuild [s]": round(side.rebuild_s, 2),
                "context sent first [B]": side.first_bytes,
                "lines run again": len(side.ran),
            }
            for side in (self.before, self.after)
        )


def order(room: Room, *, base: str = "python:3.11-slim") -> Comparison:
    """Edit one source file and rebuild, with the sources copied before the dependencies and after them."""
    nonce = uuid.uuid4().hex[:8]
    sides: list[Side] = []
    for name, dockerfile in (("COPY . . first", SOURCES_FIRST), ("requirements.txt first", LIST_FIRST)):
        folder = _project(room, f"order-{nonce}-{len(sides)}", nonce)
        # `: nonce` makes the line one of this run, so that no earlier run has its result.
        install = INSTALL.format(list="requirements.txt") + f" && : {nonce}"
        text = dockerfile.format(base=base, install=install)
        sides.append(_timed(room, name, folder, text))
    return Comparison("app.py", *sides)


def smaller_context(room: Room, *, junk_bytes: int = 24 * MiB, base: str = "python:3.11-slim") -> Comparison:
    """Edit one source file and rebuild, with a `.git` and logs in the context and with a `.dockerignore`.

    Each rebuild also finds a changed log file, as a project's do: without `.dockerignore` it is sent and copied.
    """
    nonce = uuid.uuid4().hex[:8]
    sides: list[Side] = []
    for name, ignored in (("no .dockerignore", ""), (".dockerignore", IGNORED)):
        folder = _project(room, f"context-{nonce}-{len(sides)}", nonce)
        builds.write_context(folder, {".dockerignore": ignored, ".git/HEAD": "ref: refs/heads/main\n"})
        (folder / ".git" / "pack").write_bytes(bytes(junk_bytes))
        builds.write_context(folder, {"build.log": "first\n"})
        install = INSTALL.format(list="requirements.txt") + f" && : {nonce}-{len(sides)}"
        text = LIST_FIRST.format(base=base, install=install)
        sides.append(_timed(room, name, folder, text, edit="build.log"))
    return Comparison("build.log", *sides)


def cache_mount(room: Room, *, base: str = "python:3.11-slim") -> Comparison:
    """Edit one file of a large project and compile it again, without and with `--mount=type=cache`."""
    nonce = uuid.uuid4().hex[:8]
    sides: list[Side] = []
    for name, mount in (("RUN", ""), ("RUN --mount=type=cache", f"--mount=type=cache,id={nonce},target=/cache ")):
        folder = room.folder / f"mount-{nonce}-{len(sides)}"
        # Old enough: Python's compiler goes by the modification time in whole seconds.
        builds.write_context(folder, {"app.py": f"print('{nonce} {name}')\n"}, mtime_ns=PAST_NS)
        sides.append(_timed(room, name, folder, COMPILE.format(base=base, mount=mount)))
    return Comparison("app.py", *sides)


def wheel(folder: Path, name: str = "greeting", version: str = "1.0") -> Path:
    """Write a wheel of one module, so that `pip install` needs no network. Returns its path.

    Each has a number of its own in it: no earlier build has ever had this very file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    members = {
        f"{name}.py": f"# {uuid.uuid4()}\ndef greet() -> str:\n    return 'hello from a wheel'\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: docker_tutor\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{member},,\n" for member in [*members, f"{info}/RECORD"])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member, text in {**members, f"{info}/RECORD": record}.items():
            archive.writestr(zipfile.ZipInfo(member), text)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    path.write_bytes(buffer.getvalue())
    return path


def _project(room: Room, name: str, nonce: str) -> Path:
    """Write a small Python project with its dependency beside it."""
    folder = room.folder / name
    wheel(folder / "wheels")
    texts = {
        "requirements.txt": "greeting==1.0\n",
        "app.py": f"import greeting  # {nonce}\n\nprint(greeting.greet())\n",
    }
    return builds.write_context(folder, texts)


def _timed(room: Room, name: str, folder: Path, dockerfile: str, edit: str = "app.py") -> Side:
    first = builds.build(room, folder, dockerfile=dockerfile)
    with (folder / edit).open("a") as file:
        file.write("# edited\n")
    again = builds.build(room, folder, dockerfile=dockerfile)
    compiled = sum(step.log.count("Compiling ") for step in again.trace.lines)
    return Side(name, first.seconds, again.seconds, first.trace.context_bytes, again.trace.ran, compiled)
