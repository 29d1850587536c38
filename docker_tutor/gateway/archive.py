"""The names that an archive of images would give to them, read before the daemon gets to see it.

Sources: Docker image specification v1.2 (`manifest.json`, `repositories`), OCI image layout (`index.json`).
"""

import json
import tarfile
from typing import IO, Any

__all__ = ["UnreadableArchive", "names_in"]

_NAME = "io.containerd.image.name"
_LISTS = {"manifest.json", "index.json", "repositories"}
_LIST_BYTES = 16 * 1024 * 1024


class UnreadableArchive(Exception):
    """The archive is no tar, or is packed in a way that Python cannot read."""


def names_in(archive: IO[bytes]) -> list[str]:
    """Return all names that `docker load` of an archive would give; leaves it at its start.

    Raises UnreadableArchive.
    """
    names: list[str] = []
    try:
        archive.seek(0)
        with tarfile.open(fileobj=archive, mode="r:*") as tar:
            for member in tar:
                if member.name.removeprefix("./") in _LISTS and member.isfile() and member.size < _LIST_BYTES:
                    stream = tar.extractfile(member)
                    if stream is not None:
                        names += _names(json.loads(stream.read()))
    except (tarfile.TarError, ValueError, EOFError, OSError) as error:
        raise UnreadableArchive(str(error)) from error
    finally:
        archive.seek(0)
    return list(dict.fromkeys(names))


def _names(listed: Any) -> list[str]:
    if isinstance(listed, list):  # manifest.json
        return [name for image in listed for name in image.get("RepoTags") or []]
    if "manifests" in listed:  # index.json
        annotations = [manifest.get("annotations") or {} for manifest in listed["manifests"]]
        return [entry[_NAME] for entry in annotations if entry.get(_NAME)]
    return [f"{name}:{tag}" for name, tags in listed.items() if isinstance(tags, dict) for tag in tags]
