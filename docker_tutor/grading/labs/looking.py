"""What the labs' checks have in common: runs, sizes, builds, and what lies in an image's layers."""

import gzip
import io
import tarfile
from collections.abc import Iterator
from typing import Any

from docker_tutor.grading.findings import Found
from docker_tutor.grading.site import Box, Said, Site
from docker_tutor.i18n import _
from docker_tutor.units import MiB

__all__ = [
    "build",
    "in_layers",
    "is_there",
    "last_line",
    "mib",
    "run",
    "run_with_file",
    "running",
    "size_beyond",
    "visible_files",
]

_LARGEST_ARCHIVE = 400 * MiB
# What the engine itself puts into every container's file system.
_ENGINES_OWN = ("dev", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf", "proc", "sys", ".dockerenv")


def running(site: Site, name: str, key: str = "runs") -> tuple[Box, Found]:
    """Look whether a container runs, and say so."""
    box = site.lasting(name)
    return box, Found(key, box.running, box.state, _("{name} runs").format(name=name))


def is_there(site: Site, image: str, key: str = "there") -> Found:
    """Look whether an image is there, and say so."""
    there = bool(site.image(image))
    found = image if there else _("no image {name}").format(name=image)
    return Found(key, there, found, _("an image {name}").format(name=image))


def run(site: Site, image: str, *words: str, options: tuple[str, ...] = (), timeout_s: float = 15) -> Said:
    """Run a container of the student's image, and remove it."""
    return site.docker("run", "--rm", *options, image, *words, timeout_s=timeout_s)


def run_with_file(site: Site, image: str, path: str, text: str) -> Said:
    """Run a container of the image's own command, with a file put into it before it starts."""
    created = site.docker("create", image)
    if not created.ok:
        return created
    content = text.encode()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo(path.lstrip("/"))
        entry.size, entry.mode = len(content), 0o644
        tar.addfile(entry, io.BytesIO(content))
    identity = created.text.split()[-1]
    try:
        site.client.api.put_archive(identity, "/", archive.getvalue())
        return site.docker("start", "--attach", identity)
    finally:
        site.docker("rm", "--force", identity)


def last_line(said: Said) -> str:
    """Return the last line of what was written, for a finding."""
    lines = said.text.strip().splitlines()
    return lines[-1][-120:] if lines else _("nothing")


def build(site: Site, folder: str, tag: str, *options: str, timeout_s: float = 90) -> Said:
    """Build a folder of the student's, as `docker build` does."""
    return site.docker("build", "--quiet", "--tag", tag, *options, folder, timeout_s=timeout_s)


def size_beyond(site: Site, image: str, base: str) -> int:
    """Return by how many bytes an image is larger than its base."""
    return int(site.image(image)["Size"]) - int(site.image(base)["Size"])


def mib(size: float) -> str:
    """Write a size in MiB."""
    return f"{size / MiB:.1f} MiB"


def in_layers(site: Site, image: str, needle: str) -> bool:
    """Return whether `needle` is anywhere in the image's archive: in a file of any layer, in its history or settings."""
    wanted = needle.encode()
    with tarfile.open(fileobj=_archive(site.client.api.get_image(image)), mode="r:") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            content = file.read() if file else b""
            if content[:2] == b"\x1f\x8b":
                content = gzip.decompress(content)
            if wanted in content:
                return True
    return False


def visible_files(site: Site, image: str) -> set[str]:
    """Return the paths of the files and links that a container of the image begins with."""
    created = site.client.api.create_container(image, command=["-"])
    try:
        with tarfile.open(fileobj=_archive(site.client.api.export(created["Id"])), mode="r:") as archive:
            paths = {member.name.removeprefix("./") for member in archive if not member.isdir()}
    finally:
        site.client.api.remove_container(created["Id"], force=True)
    return {path for path in paths if not path.startswith(_ENGINES_OWN)}


def _archive(chunks: Iterator[bytes]) -> Any:
    kept = io.BytesIO()
    for chunk in chunks:
        kept.write(chunk)
        if kept.tell() > _LARGEST_ARCHIVE:
            raise ValueError(_("the image is larger than {size}").format(size=mib(_LARGEST_ARCHIVE)))
    kept.seek(0)
    return kept
