"""Images in one file: saved once where there is a network, loaded by a whole class where there is none.

A bundle is what `docker save` writes, compressed, with a table of contents before it: `docker load` reads it as well.
A stand-in travels under its own name only, and gets the real one where it may have it.
"""

import gzip
import io
import json
import os
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

from docker import DockerClient
from docker.errors import APIError
from docker.errors import ImageNotFound as NotHere

from docker_tutor.errors import DiskFull, ImageError, ImageNotFound
from docker_tutor.gateway.labels import STAND_IN
from docker_tutor.i18n import _
from docker_tutor.images.loading import load
from docker_tutor.images.provided import Provided
from docker_tutor.images.reference import Reference
from docker_tutor.progress import Report, Step, silent

__all__ = ["Content", "contents", "load_bundle", "save_bundle"]

CONTENTS = "docker-tutor.json"
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Content:
    """One image of a bundle."""

    name: str
    """The name that commands and Dockerfiles use."""
    saved_as: str
    """The name that it has in the bundle: a stand-in's own, else the same."""
    size_bytes: int


def save_bundle(client: DockerClient, names: Iterable[str], file: Path, report: Report = silent) -> list[Content]:
    """Write the images `names`, which are on the engine, to `file` (a `.tar.gz`); return what is in it.

    `file` appears when it is whole, and not before. Raises ImageNotFound, ImageError or DiskFull.
    """
    table = [_content(client, Reference.parse(name)) for name in names]
    task = _("Saving {count} images").format(count=len(table))
    total = sum(content.size_bytes for content in table)
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    done = 0
    try:
        with gzip.open(fresh, "wb", compresslevel=1) as out:
            out.write(_first_member(table))
            for chunk in _saved(client, [content.saved_as for content in table]):
                out.write(chunk)
                done += len(chunk)
                # Images share layers: the sum of their sizes is more than what is written.
                report(Step(task, min(done, total), total, "bytes"))
        fresh.replace(file)
    except OSError as error:
        raise DiskFull(_("The bundle {file} cannot be written: {error}").format(file=file, error=error)) from error
    finally:
        fresh.unlink(missing_ok=True)
    report(Step(task, total, total, "bytes"))
    return table


def contents(file: Path) -> list[Content]:
    """Return what the bundle `file` holds, from its first bytes. Raises ImageError when it is no bundle."""
    try:
        with gzip.open(file, "rb") as opened, tarfile.open(fileobj=cast("io.BufferedReader", opened), mode="r|") as tar:
            first = tar.next()
            said = tar.extractfile(first) if first and first.name == CONTENTS else None
            if said is not None:
                return [Content(**fields) for fields in json.load(said)["images"]]
    except FileNotFoundError as error:
        raise ImageError(_("There is no file {file}.").format(file=file)) from error
    except EOFError as error:
        raise _cut_short(file, error) from error
    except (OSError, ValueError, tarfile.TarError) as error:
        raise ImageError(_("{file} is not a bundle of images: {error}").format(file=file, error=error)) from error
    raise ImageError(_("{file} is not a bundle of images that `docker-tutor images save` wrote.").format(file=file))


def load_bundle(client: DockerClient, file: Path, report: Report = silent, *, disposable: bool) -> list[Provided]:
    """Put the images of the bundle `file` on the engine.

    A name that means another image on an engine that is not `disposable` keeps its meaning, and the note
    says so. Raises ImageError or DiskFull; nothing is loaded from a bundle that is not whole.
    """
    table = contents(file)
    _check_whole(file, report)
    before = {content.saved_as: _id(client, content.saved_as) for content in table}
    load(client, _chunks(file), file.name, report)
    return [_settled(client, content, before[content.saved_as], disposable=disposable) for content in table]


def _settled(client: DockerClient, content: Content, before: str, *, disposable: bool) -> Provided:
    """Give one loaded image the names it may have."""
    image = client.images.get(content.saved_as)
    loaded, note = str(image.id), ""
    if content.saved_as != content.name:
        note = _("A stand-in that came in a bundle.")
        if disposable and not _id(client, content.name):
            reference = Reference.parse(content.name)
            image.tag(reference.repository, reference.tag)
    elif before and before != loaded and not disposable:
        reference = Reference.parse(content.name)
        client.images.get(before).tag(reference.repository, reference.tag)
        note = _("{name} meant another image here and still does.").format(name=content.name)
    return Provided(content.name, "bundle", loaded, int(image.attrs["Size"]), 0.0, note)


def _content(client: DockerClient, reference: Reference) -> Content:
    for name in (str(reference), reference.stand_in):
        try:
            image = client.images.get(name)
        except NotHere:
            continue
        labels = (image.attrs.get("Config") or {}).get("Labels") or {}
        saved_as = reference.stand_in if STAND_IN in labels else str(reference)
        if STAND_IN in labels and not _id(client, reference.stand_in):
            saved_as = str(reference)
        return Content(str(reference), saved_as, int(image.attrs["Size"]))
    raise ImageNotFound(_("The image {name} is not on the engine, so it cannot be saved.").format(name=reference))


def _saved(client: DockerClient, names: Sequence[str]) -> Iterator[bytes]:
    # The SDK's own call takes one image; several at once share their layers in the archive.
    api = client.api
    answer = api.get(f"{api.base_url}/v{api.api_version}/images/get", params={"names": names}, stream=True)
    if answer.status_code != 200:
        raise ImageError(_("The engine does not save these images: {said}").format(said=answer.text.strip()))
    return cast("Iterator[bytes]", answer.iter_content(CHUNK_BYTES))


def _first_member(table: Sequence[Content]) -> bytes:
    text = json.dumps({"format": 1, "images": [asdict(content) for content in table]}).encode()
    info = tarfile.TarInfo(CONTENTS)
    info.size, info.mode = len(text), 0o644
    return info.tobuf(tarfile.GNU_FORMAT) + text + bytes(-len(text) % tarfile.BLOCKSIZE)


def _check_whole(file: Path, report: Report) -> None:
    """Read the bundle to its end: gzip's checksum (RFC 1952) is there, and a copy cut short has none."""
    task = _("Checking {name}").format(name=file.name)
    size = file.stat().st_size
    try:
        with file.open("rb") as raw, gzip.GzipFile(fileobj=raw) as opened:
            while opened.read(CHUNK_BYTES):
                report(Step(task, raw.tell(), size, "bytes"))
    except (OSError, EOFError) as error:
        raise _cut_short(file, error) from error


def _cut_short(file: Path, error: Exception) -> ImageError:
    return ImageError(_("The bundle {file} is not whole: copy it again. ({error})").format(file=file, error=error))


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK_BYTES):
            yield chunk


def _id(client: DockerClient, name: str) -> str:
    try:
        return str(client.images.get(name).id)
    except (NotHere, APIError):
        return ""
