"""A first file system for a kernel that has to load a module before it can read its disk.

Source: Linux kernel, Documentation/driver-api/early-userspace/buffer-format.rst ("newc").
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

__all__ = ["File", "packed"]

MAGIC = b"070701"
LAST = "TRAILER!!!"
FOLDER, REGULAR = 0o040755, 0o100000


@dataclass(frozen=True, slots=True)
class File:
    """What a file holds, and whether it may be run."""

    content: bytes
    program: bool = False


def packed(files: Mapping[str, File], folders: tuple[str, ...] = ()) -> bytes:
    """Return the archive of `folders`, then `files`; names are relative to the root, parents first."""
    return b"".join(_entries(files, folders))


def _entries(files: Mapping[str, File], folders: tuple[str, ...]) -> Iterator[bytes]:
    number = 0
    for number, name in enumerate(folders, 1):
        yield _entry(number, name, FOLDER, b"")
    for inode, (name, file) in enumerate(files.items(), number + 1):
        yield _entry(inode, name, REGULAR | (0o755 if file.program else 0o644), file.content)
    yield _entry(0, LAST, 0, b"")


def _entry(inode: int, name: str, mode: int, content: bytes) -> bytes:
    called = name.encode() + b"\0"
    owner = group = changed = device_major = device_minor = real_major = real_minor = checksum = 0
    fields: tuple[int, ...] = (inode, mode, owner, group, 1, changed, len(content))
    fields += (device_major, device_minor, real_major, real_minor, len(called), checksum)
    header = MAGIC + b"".join(b"%08X" % field for field in fields)
    return _padded(header + called) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
