"""How much memory, which CPU and how much disk a guest may have: what the sandbox allows, not what the machine has.

Source: `man 7 cgroups`, Documentation/admin-guide/cgroup-v2.rst (memory.max, memory.current), cgroup-v1/memory.rst.
"""

import mmap
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from docker_tutor.engines import room
from docker_tutor.errors import EngineStartFailed
from docker_tutor.i18n import _
from docker_tutor.units import GiB, MiB, human_bytes

__all__ = ["LEAST_BYTES", "cpu", "disk_bytes", "guest_memory", "memory_allowed", "memory_folder"]

KEPT_BYTES = 640 * MiB
"""What stays for JupyterLab, a kernel and the course itself."""
LEAST_BYTES = 448 * MiB
MOST_BYTES = 2 * GiB
UNLIMITED = 1 << 60
"""Version 1 writes "no limit" as a number close to 2^63."""
DISK_MOST, DISK_LEAST, DISK_KEPT = 32 * GiB, 2 * GiB, GiB // 2
FILES = (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes"))


def memory_allowed(root: Path = Path("/sys/fs/cgroup"), proc: Path = Path("/proc/self/cgroup")) -> int:
    """Return how many bytes of memory we may still use: the least that any control group above us and the machine has.

    Page cache in `inactive_file` counts as free: the kernel takes it back before it refuses anything.
    """
    left = [psutil.virtual_memory().available]
    for folder in _folders(root, proc):
        for limit_file, used_file in FILES:
            limit, used = _number(folder / limit_file), _number(folder / used_file)
            if limit is not None and used is not None and limit < UNLIMITED:
                left.append(limit - used + _inactive(folder))
    return max(0, min(left))


def guest_memory(allowed: int) -> int:
    """Return the bytes of memory for a guest, out of `allowed`. Raises `EngineStartFailed` if it is too little."""
    memory = min(allowed - KEPT_BYTES, MOST_BYTES)
    if memory < LEAST_BYTES:
        raise EngineStartFailed(
            _(
                "A virtual machine with Docker in it needs {need} of free memory here, and {have} may be used: close "
                "something large, or ask for more."
            ).format(need=human_bytes(LEAST_BYTES + KEPT_BYTES), have=human_bytes(allowed))
        )
    return memory // MiB * MiB


def memory_folder(memory: int, candidates: Sequence[Path]) -> Path:
    """Return a folder for a file of `memory` bytes out of which code may run: `/dev/shm`, else one of `candidates`.

    Raises `EngineStartFailed`.
    """
    for folder in (Path("/dev/shm"), *candidates):  # noqa: S108 - a file without a name is made there
        try:
            if shutil.disk_usage(folder).free > memory + 64 * MiB and _may_execute(folder):
                return folder
        except OSError:
            continue  # not there, or not ours to write: the next one
    raise EngineStartFailed(
        _(
            "The guest's memory needs a folder with {size} of room from which programs may run; tried: {folders}."
        ).format(
            size=human_bytes(memory),
            folders=", ".join(map(str, ("/dev/shm", *candidates))),  # noqa: S108
        )
    )


def cpu() -> int:
    """Return the one CPU to keep a guest on: moved about between two, its processes wait for each other.

    It is not always the same one, because others on this machine may have a guest too.
    """
    return secrets.choice(sorted(os.sched_getaffinity(0)))


def disk_bytes(folder: Path) -> int:
    """Return how large a disk may become in `folder`. Raises `DiskFull` when there is no room for a useful one."""
    room.require(
        folder,
        DISK_LEAST + DISK_KEPT,
        _("A disk for Docker needs {needs} in {folder}, and {free} are free: make room for {missing} more there."),
    )
    return min(room.free_bytes(folder) - DISK_KEPT, DISK_MOST) // MiB * MiB


def _folders(root: Path, proc: Path) -> Iterator[Path]:
    """Yield our control groups and all above them, in every tree; inside a container only the mounted root is there."""
    try:
        lines = proc.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _id, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        for tree in (root / "memory",) if controllers else (root, root / "unified"):
            own = tree / path.lstrip("/")
            yield from (folder for folder in (own, *own.parents) if folder.is_relative_to(tree))


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None  # not there, or "max"


def _inactive(folder: Path) -> int:
    try:
        words = (folder / "memory.stat").read_text(encoding="ascii").split()
    except OSError:
        return 0
    pairs = dict(zip(words[::2], words[1::2], strict=False))
    return int(pairs.get("total_inactive_file") or pairs.get("inactive_file") or 0)


def _may_execute(folder: Path) -> bool:
    with tempfile.TemporaryFile(dir=folder) as file:
        file.truncate(mmap.PAGESIZE)
        try:
            mmap.mmap(file.fileno(), mmap.PAGESIZE, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_EXEC).close()
        except OSError:
            return False
    return True
