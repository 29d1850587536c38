"""OverlayFS under a container: its directories, what a first write costs, and how a removal is written down.

Where the directories are is read from the container's own mount table (`man 5 proc_pid_mountinfo`), which names them
with either image store; the classic store says it in `docker inspect` too. Source: the kernel's
Documentation/filesystems/overlayfs.rst.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.topics import builds
from docker_tutor.topics.overlay_view import Entry, View, read_view
from docker_tutor.units import MiB

__all__ = ["CopyUp", "Entry", "Mount", "View", "copy_up", "mount", "view"]

SCRIPT = """
import json, os, time
def timed(act):
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin
def append(path):
    with open(path, "ab", buffering=0) as file:
        file.write(b"x")
print(json.dumps([timed(ACT) for _ in range(2)]))
"""


@dataclass(frozen=True, slots=True)
class Mount:
    """What a container's root is made of."""

    driver: str
    """The storage driver as `docker info` names it: `overlay2` (classic store) or `overlayfs` (containerd's)."""
    source: Literal["docker inspect", "mount table"]
    lower: tuple[str, ...]
    """Read-only directories, the highest first."""
    upper: str
    """The writable directory."""
    work: str
    """Where OverlayFS prepares what it then moves into `upper` in one step."""
    merged: str
    """Where the engine has mounted the whole; empty when only the container's own table could be read."""
    readable: bool
    """Whether these directories can be read from here."""

    def to_frame(self) -> pd.DataFrame:
        """One row for each directory, from the top of the stack to its bottom."""
        rows = [("merged", self.merged or "/ (in the container)"), ("upper", self.upper), ("work", self.work)]
        rows += [(f"lower {number}", path) for number, path in enumerate(self.lower)]
        return pd.DataFrame(rows, columns=["part", "directory"])


@dataclass(frozen=True, slots=True)
class CopyUp:
    """One byte appended to a large file of the image, twice; and the mode of another one changed."""

    file_bytes: int
    first_write_s: float
    second_write_s: float
    chmod_s: float
    writable_before_bytes: int
    """Size of the container's writable layer (`docker ps --size`) before the first write."""
    writable_after_write_bytes: int
    writable_after_chmod_bytes: int

    @property
    def times_slower(self) -> float:
        """First write ÷ second write."""
        return self.first_write_s / self.second_write_s

    def to_frame(self) -> pd.DataFrame:
        """One row for each act."""
        sizes = [self.writable_after_write_bytes, self.writable_after_write_bytes, self.writable_after_chmod_bytes]
        acts = ["first append of 1 byte", "second append of 1 byte", "chmod of another large file"]
        seconds = [self.first_write_s, self.second_write_s, self.chmod_s]
        return pd.DataFrame({"act": acts, "seconds": seconds, "writable layer then [B]": sizes})


def mount(room: Room, container: str) -> Mount:
    """Say what the root of a running container is made of. Raises CommandFailed if it has no `cat`."""
    found = room.api.inspect_container(container)
    driver = str(room.api.info()["Driver"])
    data = (found.get("GraphDriver") or {}).get("Data") or {}
    table = room.cli("exec", container, "cat", "/proc/self/mountinfo").stdout
    options = _overlay_options(table)
    inspected = "UpperDir" in data
    upper = data.get("UpperDir") or options.get("upperdir", "")
    return Mount(
        driver=driver,
        source="docker inspect" if inspected else "mount table",
        lower=tuple((data.get("LowerDir") or options.get("lowerdir", "")).split(":")),
        upper=upper,
        work=data.get("WorkDir") or options.get("workdir", ""),
        merged=data.get("MergedDir") or "",
        readable=bool(upper) and Path(upper).is_dir(),
    )


def view(room: Room, *, base: str = "alpine:3.19") -> View:
    """Keep, change, add and remove files in a container, and read the image, the writable layer and the whole."""
    return read_view(room, base, upper_of=lambda container: Path(mount(room, container).upper))


def copy_up(room: Room, *, file_bytes: int = 128 * MiB, base: str = "python:3.11-slim") -> CopyUp:
    """Append one byte to a file of the image that has `file_bytes`, twice, and look at the clock and the disk."""
    name, tag = room.unique("copy-up"), room.unique("copy-up-image")
    folder = room.folder / name
    text = f"FROM {base}\nRUN head -c {file_bytes} /dev/zero > /large && cp /large /other\n"
    builds.write_context(folder, {"Dockerfile": text})
    builds.build(room, folder, tag=tag)
    try:
        room.cli("run", "--detach", "--name", name, tag, "sleep", "600")
        before = _writable_bytes(room, name)
        first, second = _timed(room, name, 'lambda: append("/large")')
        written = _writable_bytes(room, name)
        chmod, _again = _timed(room, name, 'lambda: os.chmod("/other", 0o600)')
        changed = _writable_bytes(room, name)
    finally:
        room.cli("rm", "--force", name, check=False)
        room.cli("image", "rm", "--force", tag, check=False)
    return CopyUp(file_bytes, first, second, chmod, before, written, changed)


def _overlay_options(table: str) -> dict[str, str]:
    """Read the options of the mount on `/` from a mount table."""
    for line in table.splitlines():
        before, _dash, after = line.partition(" - ")
        if before.split()[4] == "/" and after.startswith("overlay "):
            return dict(re.findall(r"(\w+)=([^,]*)", after.split()[2]))
    return {}


def _timed(room: Room, name: str, act: str) -> list[float]:
    said = room.cli("exec", name, "python", "-c", SCRIPT.replace("ACT", act)).stdout
    return [float(value) for value in json.loads(said)]


def _writable_bytes(room: Room, name: str) -> int:
    """Return the size of a container's writable layer, as `docker ps --size` shows it."""
    [found] = room.api.containers(all=True, size=True, filters={"name": f"^/{name}$"})
    return int(found.get("SizeRw") or 0)
