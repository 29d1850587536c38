"""One program, built in one stage and in two: what the image weighs, and what was left out.

Also the targets of one Dockerfile, and what BuildKit does with two stages that do not wait for each other.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.errors import CommandFailed
from docker_tutor.i18n import _
from docker_tutor.topics import builds
from docker_tutor.topics.exports import exported
from docker_tutor.topics.stage_graph import Fate, StageGraph, read
from docker_tutor.units import MiB

__all__ = ["Comparison", "Contents", "Parallel", "Target", "Targets", "compare", "graph", "parallel", "targets"]

PARTS: dict[str, tuple[str, ...]] = {
    "compiler and its library": ("usr/local/go", "usr/lib/go", "usr/share/go"),
    "compiler's cache": ("root/.cache",),
    "modules": ("go/", "app/node_modules/"),
    "program and sources": ("app/", "server"),
}
"""Part → where its files lie in the images of this chapter; what is nowhere here came with the distribution."""
REST = "distribution"


@dataclass(frozen=True, slots=True)
class Contents:
    """The files of one image."""

    image: str
    files: Mapping[str, int]
    """Path without a leading slash → bytes."""

    @property
    def size_bytes(self) -> int:
        """All of them."""
        return sum(self.files.values())

    def parts(self) -> dict[str, int]:
        """Return part → bytes: the compiler, its cache, modules, the program with its sources, the distribution."""
        sizes = dict.fromkeys((*PARTS, REST), 0)
        for path, size in self.files.items():
            sizes[_part(path)] += size
        return sizes


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same program in two images."""

    single: Contents
    multi: Contents

    @property
    def saved(self) -> float:
        """The fraction of bytes that the second image does without."""
        return 1 - self.multi.size_bytes / self.single.size_bytes

    def left_out(self, top: int = 10) -> pd.DataFrame:
        """Return the folders of the first image that the second one lacks, the largest first."""
        count: dict[str, list[int]] = {}
        parts: dict[str, str] = {}
        for path in sorted(self.single.files.keys() - self.multi.files.keys()):
            # In an image, root's home is the builder's: said as a person says it.
            folder = ("/" + "/".join(path.split("/")[:-1][:3])).replace("/root/", "~/")
            count.setdefault(folder, []).append(self.single.files[path])
            parts.setdefault(folder, _part(path))
        rows = [(folder, parts[folder], len(sizes), sum(sizes) / MiB) for folder, sizes in count.items()]
        rows.sort(key=lambda row: -row[3])
        frame = pd.DataFrame(rows[:top], columns=["folder", "part", "files", "size_MiB"])
        return frame.round({"size_MiB": 2})

    def to_frame(self) -> pd.DataFrame:
        """One row for each part, in MiB."""
        single, multi = self.single.parts(), self.multi.parts()
        rows = [(part, single[part] / MiB, multi[part] / MiB) for part in single]
        rows.append((_("all files"), self.single.size_bytes / MiB, self.multi.size_bytes / MiB))
        return pd.DataFrame(rows, columns=["part", "one stage [MiB]", "two stages [MiB]"]).round(2)


@dataclass(frozen=True, slots=True)
class Target:
    """One target of a Dockerfile, built and run."""

    name: str
    size_bytes: int
    fates: Mapping[str, Fate]
    """Stage → what the build did with it."""
    said: str
    """What the container wrote."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Several targets of one Dockerfile."""

    graph: StageGraph
    all: tuple[Target, ...]

    def target(self, name: str) -> Target:
        """Return one of them."""
        return next(target for target in self.all if target.name == name)

    def to_frame(self) -> pd.DataFrame:
        """One row for each target."""
        rows = [
            {
                "target": target.name,
                "size_MiB": round(target.size_bytes / MiB, 1),
                "skipped stages": ", ".join(name for name, fate in target.fates.items() if fate == "skipped") or "–",
                "it says": target.said,
            }
            for target in self.all
        ]
        return pd.DataFrame(rows)


@dataclass(frozen=True, slots=True)
class Parallel:
    """Two stages that each sleep, and a third one that copies from both."""

    each_s: float
    """How long each stage sleeps."""
    graph: StageGraph
    trace: builds.Trace

    @property
    def sleeps(self) -> tuple[builds.Step, ...]:
        """The steps that slept and were carried out."""
        return tuple(step for step in self.trace.lines if "sleep" in step.instruction and step.state == "ran")

    @property
    def wall_s(self) -> float:
        """From the first sleep's start to the last one's end."""
        return max(step.end_s for step in self.sleeps) - min(step.start_s for step in self.sleeps)

    @property
    def overlap_s(self) -> float:
        """How long both slept at the same time; 0 with one sleep only."""
        if len(self.sleeps) < 2:
            return 0.0
        return max(0.0, min(step.end_s for step in self.sleeps) - max(step.start_s for step in self.sleeps))

    def to_frame(self) -> pd.DataFrame:
        """One row for each step of the build."""
        return self.trace.to_frame()


def graph(path: Path) -> StageGraph:
    """Read the stages of the Dockerfile at `path`."""
    return read(path.read_text())


def compare(room: Room, single: str, multi: str, *, folder: str = "/") -> Comparison:
    """Look into two images of one service, or into one `folder` of both.

    Nothing is run in them: their file systems are exported and read.
    """
    return Comparison(_contents(room, single, folder), _contents(room, multi, folder))


def targets(
    room: Room, context: Path | str, commands: Mapping[str, Sequence[str]], *, secrets: Mapping[str, Path] | None = None
) -> Targets:
    """Build each target of `commands` (name → what to run in it) from the context's Dockerfile, and run it.

    The images are removed; what was built stays in the cache. Raises CommandFailed.
    """
    stages = graph(room.folder / context / "Dockerfile")
    found = []
    for name, words in commands.items():
        tag = room.unique(f"target-{name}")
        built = builds.build(room, context, tag=tag, secrets=secrets, options=["--target", name])
        try:
            size = int(room.api.inspect_image(tag)["Size"])
            said = room.cli("run", "--rm", "--network", "none", tag, *words).stdout.strip()
        finally:
            room.cli("image", "rm", "--force", tag)
        found.append(Target(name, size, stages.fates(built.trace), said))
    return Targets(stages, tuple(found))


def parallel(room: Room, each_s: int = 3, *, identical: bool = False, base: str = "alpine:3.19") -> Parallel:
    """Build two stages that sleep `each_s` and a third that needs both; with `identical`, the two do the same.

    A word that is new each time keeps results of earlier runs out of it. Raises CommandFailed.
    """
    nonce = uuid.uuid4().hex[:8]
    words = ("stage", "stage") if identical else ("stage1", "stage2")
    text = "".join(
        f"FROM {base} AS stage{number}\nRUN sleep {each_s} && echo {word} > /made && : {nonce}\n\n"
        for number, word in enumerate(words, start=1)
    )
    text += f"FROM {base} AS final\nCOPY --from=stage1 /made /stage1.txt\nCOPY --from=stage2 /made /stage2.txt\n"
    folder = builds.write_context(room.folder / f"parallel-{nonce}", {"Dockerfile": text})
    built = builds.build(room, folder.name)
    made = Parallel(float(each_s), read(text), built.trace)
    if not made.sleeps:
        raise CommandFailed(_("No stage of this build was carried out, though all of it was new."))
    return made


def _contents(room: Room, image: str, folder: str) -> Contents:
    above = folder.strip("/").rpartition("/")[0]
    with exported(room, image, folder) as tar:
        names = {f"{above}/{member.name}".lstrip("/"): member for member in tar if member.isfile()}
    return Contents(image, {name: member.size for name, member in names.items()})


def _part(path: str) -> str:
    return next((part for part, places in PARTS.items() if path.startswith(places)), REST)
