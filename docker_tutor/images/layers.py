"""Layers as files: the same content always gives the same bytes, and so the same digest."""

import hashlib
import io
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from docker_tutor.errors import RecipeFailed
from docker_tutor.i18n import _

__all__ = ["Layer", "LayerWriter", "built_at", "deb_contents", "merged", "rewrite"]

MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
"""The folders that are links into /usr in today's Debian, whatever the packages' own paths are."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A finished layer: an uncompressed tar and its digest, which the OCI image specification calls its diff id."""

    file: Path
    diff_id: str
    size_bytes: int

    @classmethod
    def of(cls, file: Path) -> "Layer":
        """Read the digest of `file`."""
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        return cls(file, f"sha256:{digest}", file.stat().st_size)


class LayerWriter:
    """Collects entries in any order and writes them sorted, owned by numbers, with no time later than `newest`."""

    def __init__(self, newest: int) -> None:
        self._entries: dict[str, tuple[tarfile.TarInfo, bytes]] = {}
        self._newest = newest

    def add(self, path: str, info: tarfile.TarInfo, content: bytes = b"") -> None:
        """Add an entry from a package, under `path`."""
        self._put(path, info, content)

    def file(self, path: str, content: bytes) -> None:
        """Add a file of the course; one that starts with `#!` can be run."""
        info = tarfile.TarInfo()
        info.mode = 0o755 if content.startswith(b"#!") else 0o640 if path == "/etc/shadow" else 0o644
        info.size = len(content)
        self._put(path, info, content)

    def link(self, path: str, target: str) -> None:
        """Add a symbolic link."""
        info = tarfile.TarInfo()
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, target, 0o777
        self._put(path, info, b"")

    def directory(self, path: str, mode: int = 0o755, owner: int = 0) -> None:
        """Add a directory; `owner` is a user's and a group's number."""
        info = tarfile.TarInfo()
        info.uid = info.gid = owner
        info.type, info.mode = tarfile.DIRTYPE, mode
        self._put(path, info, b"")

    def write(self, file: Path) -> Layer:
        """Write the layer to `file`."""
        for path in list(self._entries):
            for parent in Path(path).parents:
                if parent.as_posix() not in (".", *self._entries):
                    self.directory(parent.as_posix())
        with tarfile.open(file, "w", format=tarfile.GNU_FORMAT) as tar:
            for path in sorted(self._entries):
                info, content = self._entries[path]
                tar.addfile(_plain(info, self._newest), io.BytesIO(content) if info.isreg() else None)
        return Layer.of(file)

    def _put(self, path: str, info: tarfile.TarInfo, content: bytes) -> None:
        info.name = path.strip("/")
        if not info.mtime:
            info.mtime = 1 << 40
        if info.name:
            self._entries[info.name] = info, content


def rewrite(
    source: IO[bytes],
    file: Path,
    keep: Callable[[str], bool],
    newest: int,
    *,
    expected: Iterable[str] = (),
    deleted: Iterable[str] = (),
) -> Layer:
    """Copy the tar `source` to `file` sorted, without what `keep` refuses, with no time later than `newest`.

    Paths of `source` may begin with a slash, or with `./`; the layer's do not.
    `deleted` become whiteouts, as the OCI image specification (`layer.md`) has them. Raises RecipeFailed when a
    path of `expected` is not in `source`: half a layer would be kept for good.
    """
    with tarfile.open(fileobj=source, mode="r:") as old, tarfile.open(file, "w", format=tarfile.GNU_FORMAT) as new:
        everything = map(_relative, old.getmembers())
        members = [info for info in everything if info.name not in {"", "."} and keep(f"/{info.name}")]
        names = {info.name for info in members}
        if missing := {path.strip("/") for path in expected} - names:
            message = _("The engine gave an incomplete file system ({path} is not in it): try again.")
            raise RecipeFailed(message.format(path=min(missing)))
        for info in sorted(members, key=_order):
            content = old.extractfile(info) if info.isreg() or info.islnk() else None
            if info.islnk() and info.linkname in names:
                content = None
            elif info.islnk() and content is not None:
                # Its other name is in a layer below, where no link can lead: the file itself, once more.
                info.type, info.size = tarfile.REGTYPE, content.seek(0, io.SEEK_END)
                content.seek(0)
            new.addfile(_plain(info, newest), content)
        for path in sorted(deleted):
            folder, _slash, name = path.strip("/").rpartition("/")
            new.addfile(_plain(tarfile.TarInfo(f"{folder}/.wh.{name}".lstrip("/")), newest))
    return Layer.of(file)


def _relative(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.name = info.name.removeprefix("./").strip("/")
    if info.islnk():
        info.linkname = info.linkname.removeprefix("./").strip("/")
    return info


def merged(debs: Iterable[Path], own: Path, file: Path, keep: Callable[[str], bool]) -> None:
    """Write the tar `own`, and what `debs` hold and `keep` accepts, to `file`: a system whose scripts have not run.

    Folders that today's Debian has merged into /usr become links first, as its installers do it. No path comes
    twice: engines refuse that.
    """
    with tarfile.open(file, "w", format=tarfile.GNU_FORMAT) as tar, tarfile.open(own) as first:
        written: set[str] = {""}

        def add(info: tarfile.TarInfo, content: IO[bytes] | None = None) -> None:
            if info.name not in written:
                tar.addfile(info, content)
                written.add(info.name)

        for name in MERGED:
            for kind, path, target in ((tarfile.DIRTYPE, f"usr/{name}", ""), (tarfile.SYMTYPE, name, f"usr/{name}")):
                info = tarfile.TarInfo(path)
                info.type, info.linkname, info.mode = kind, target, 0o755
                add(info)
        for info in first:
            add(info, first.extractfile(info) if info.isreg() else None)
        for deb in debs:
            with deb_contents(deb) as contents:
                for info in contents:
                    info.name = _merged_path(info.name)
                    if info.islnk():
                        info.linkname = _merged_path(info.linkname)
                    if keep(f"/{info.name}"):
                        add(info, contents.extractfile(info) if info.isreg() else None)


def _merged_path(path: str) -> str:
    plain = path.removeprefix(".").strip("/")
    first, _slash, rest = plain.partition("/")
    return f"usr/{first}/{rest}" if first in MERGED and rest else plain


def _order(info: tarfile.TarInfo) -> tuple[bool, str]:
    # A hard link must follow the file that it names.
    return info.islnk(), info.name


def _plain(info: tarfile.TarInfo, newest: int) -> tarfile.TarInfo:
    info.uname = info.gname = ""
    info.mtime = min(int(info.mtime), newest)
    info.pax_headers = {}
    return info


def built_at(deb: Path) -> int:
    """Return when the package file `deb` was built, in seconds since 1970: the same on every mirror."""
    with deb.open("rb") as opened:
        # `man 5 deb`, `man 5 ar`: after eight bytes of magic a member's name (16 bytes) and its time (12 bytes).
        return int(opened.read(36)[24:])


@contextmanager
def deb_contents(deb: Path) -> Iterator[tarfile.TarFile]:
    """Open the files that the package file `deb` holds, as a stream: members come once, in order."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101 - by stdout=PIPE
        with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
            yield tar
        process.stdout.read()  # the padding after the last member, so that dpkg-deb ends by itself
    if process.returncode:
        raise RecipeFailed(_("{file} cannot be read.").format(file=deb.name))
