"""Unpack package files into a folder: their files and nothing else, no maintainer script is run."""

import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from docker_tutor.errors import DiskFull, DownloadFailed, PackageError
from docker_tutor.i18n import _
from docker_tutor.progress import Report, Step, silent

__all__ = ["unpack"]


def unpack(debs: Sequence[Path], folder: Path, report: Report = silent) -> None:
    """Unpack `debs` into `folder`, which may hold files already. Raises `DiskFull` or `DownloadFailed`.

    Without root the files belong to the user; with root, to whom the package says.
    """
    task = _("Unpacking Debian packages")
    for part in ("usr/bin", "usr/sbin", "usr/lib"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for name in ("bin", "sbin", "lib"):
        # Debian's packages assume that these are links (/usr merge), which `base-files` alone makes.
        if not (folder / name).exists():
            (folder / name).symlink_to(f"usr/{name}")
    # Two at a time: decompression takes one core, writing waits for the disk.
    with ThreadPoolExecutor(2) as pool:
        for done, _nothing in enumerate(pool.map(lambda deb: _extract(deb, folder), debs), 1):
            report(Step(task, done, len(debs)))


def _extract(deb: Path, folder: Path) -> None:
    done = subprocess.run(["dpkg-deb", "--extract", deb, folder], capture_output=True, text=True, check=False)
    if done.returncode:
        raise _failure(deb, folder, done.stderr.strip())


def _failure(deb: Path, folder: Path, said: str) -> PackageError:
    if "No space left on device" in said:
        return DiskFull(
            _("The disk is full: make room for {file} in {folder} and try again.").format(file=deb.name, folder=folder)
        )
    return DownloadFailed(_("{file} cannot be unpacked: {said}").format(file=deb.name, said=said))
