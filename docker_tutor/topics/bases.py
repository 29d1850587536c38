"""What is in a base image: bytes, files, packages, a shell, programs that run as root for anyone.

Nothing is run in the image: its file system is exported and read, so that it works for an image without a shell.
"""

import re
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Any, cast

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.units import MiB

__all__ = ["Base", "Bases", "compare"]

SHELLS = {"bin/sh", "usr/bin/sh", "bin/bash", "usr/bin/bash", "bin/busybox"}
DPKG_STATUS = "var/lib/dpkg/status"
DPKG_PARTS = "var/lib/dpkg/status.d/"
APK_INSTALLED = ("lib/apk/db/installed", "usr/lib/apk/db/installed")
SETUID = 0o4000


@dataclass(frozen=True, slots=True)
class Base:
    """One image's file system, counted."""

    image: str
    size_bytes: int
    """The bytes of all regular files."""
    files: int
    packages: int
    """Packages that the distribution's own database lists; 0 where there is none."""
    programs: int
    """Executable regular files."""
    setuid_programs: int
    """Programs that run with their owner's rights, whoever starts them."""
    shell: bool


@dataclass(frozen=True, slots=True)
class Bases:
    """Several base images side by side."""

    images: tuple[Base, ...]

    def image(self, name: str) -> Base:
        """Return the counts of one image."""
        return next(base for base in self.images if base.image == name)

    def to_frame(self) -> pd.DataFrame:
        """Return one line per image, sizes in MiB."""
        rows = [
            (b.image, round(b.size_bytes / MiB, 1), b.files, b.packages, b.programs, b.setuid_programs, b.shell)
            for b in self.images
        ]
        columns = ["image", "size_MiB", "files", "packages", "programs", "setuid programs", "shell"]
        return pd.DataFrame(rows, columns=columns)


def compare(room: Room, *images: str) -> Bases:
    """Count what is in each of `images`. Each must be here already (see `open_room`)."""
    return Bases(tuple(_count(room, image) for image in images))


def _count(room: Room, image: str) -> Base:
    # Never started; a distroless image has no default command, so one has to be named.
    container: Any = room.client.containers.create(image, ["never-started"], network_mode="none")
    try:
        stream = cast("IO[bytes]", _Reader(container.export()))
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            return _read(image, tar)
    finally:
        container.remove()


def _read(image: str, tar: tarfile.TarFile) -> Base:
    size = files = packages = programs = setuid = 0
    shell = False
    for member in tar:
        name = member.name.removeprefix("./")
        shell |= name in SHELLS
        if not member.isfile():
            continue
        files += 1
        size += member.size
        if member.mode & 0o111 and "bin/" in name:
            programs += 1
        setuid += bool(member.mode & SETUID)
        if name == DPKG_STATUS or name in APK_INSTALLED or _is_part(name):
            packages += _packages(tar, member)
    return Base(image, size, files, packages, programs, setuid, shell)


def _is_part(name: str) -> bool:
    # Distroless images keep one file per package, with sums beside it.
    return name.startswith(DPKG_PARTS) and not name.endswith(".md5sums")


def _packages(tar: tarfile.TarFile, member: tarfile.TarInfo) -> int:
    file = tar.extractfile(member)
    text = file.read().decode(errors="replace") if file else ""
    return len(re.findall(r"^(?:Package: |P:)", text, re.MULTILINE))


class _Reader:
    """Lets tarfile read an iterator of chunks as if it were a file."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""

    def read(self, count: int) -> bytes:
        parts, missing = [self._rest[:count]], count - len(self._rest)
        self._rest = self._rest[count:]
        while missing > 0 and (chunk := next(self._chunks, b"")):
            parts.append(chunk[:missing])
            self._rest = chunk[missing:]
            missing -= len(chunk)
        return b"".join(parts)
