"""Finished stand-ins in the user's cache: layers as files, and a record of what is made of them.

A layer that several images share is kept once. The record's name holds a digest of the recipe and of the
packages' versions; without a network the newest record of the recipe serves.
"""

import io
import json
import platform
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from filelock import FileLock

from docker_tutor import paths
from docker_tutor.images.layers import Layer

__all__ = ["Made", "MadeLayer", "Store"]

CHUNK_BYTES = 1 << 20
KEPT_RECORDS = 2
"""So many versions of one stand-in are kept: two checkouts of the course may differ."""
SETTLED_S = 3600
MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386", "ppc64le": "ppc64le"}


@dataclass(frozen=True, slots=True)
class MadeLayer:
    """One layer of a finished stand-in."""

    diff_id: str
    size_bytes: int
    said: str
    """What `docker history` shows for it."""


@dataclass(frozen=True, slots=True)
class Made:
    """A finished stand-in, before it has a name."""

    key: str
    recipe: str
    """The digest of the recipe, its base's included."""
    version: str
    created: int
    """Seconds since 1970: the newest file of the packages, so that the same packages give the same image."""
    layers: tuple[MadeLayer, ...]
    config: Mapping[str, Any]
    packages: Mapping[str, str] = field(default_factory=dict)
    """Name and version of every package in it."""

    def image(self, labels: Mapping[str, str]) -> bytes:
        """Return the image's configuration as the OCI image specification wants it (`config.md`)."""
        created = datetime.fromtimestamp(self.created, UTC).isoformat().replace("+00:00", "Z")
        history = [{"created": created, "created_by": layer.said, "comment": "docker_tutor"} for layer in self.layers]
        document = {
            "architecture": MACHINES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "created": created,
            "config": {**self.config, "Labels": dict(labels)},
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in self.layers]},
            "history": history,
        }
        return json.dumps(document, sort_keys=True).encode()


class Store:
    """The folder of finished stand-ins; two processes may use it at once."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or paths.cache_folder() / "stand-ins"
        for part in ("layers", "records"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)

    def lock(self, key: str) -> FileLock:
        """Return the lock to hold while `key` is made."""
        return FileLock(self.folder / f"{key}.lock")

    def find(self, key: str, recipe: str) -> Made | None:
        """Return the newest finished `key` of this very recipe; None when it has to be made."""
        records = sorted(self._records(key, recipe), key=lambda file: file.stat().st_mtime, reverse=True)
        for record in records:
            said = json.loads(record.read_text(encoding="utf-8"))
            layers = tuple(MadeLayer(**layer) for layer in said.pop("layers"))
            if all(self._whole(layer) for layer in layers):
                return Made(layers=layers, **said)
        return None

    def keep(self, made: Made, new: Layer | None) -> None:
        """Keep `made`, whose last layer is `new`, a file that is moved here; None when it only has its base's."""
        if new:
            new.file.replace(self.layer_file(new.diff_id))
        versions = sha256(json.dumps(sorted(made.packages.items())).encode()).hexdigest()
        record = self.folder / "records" / f"{made.key}-{made.recipe[:12]}-{versions[:12]}.json"
        fresh = record.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(made), indent=1), encoding="utf-8")
        fresh.replace(record)
        self._forget_old(made.key)

    def layer_file(self, diff_id: str) -> Path:
        """Return where the layer `diff_id` is kept."""
        return self.folder / "layers" / f"{diff_id.removeprefix('sha256:')}.tar"

    def size_bytes(self) -> int:
        """Return how much room the finished stand-ins take."""
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())

    def archive(self, images: Sequence[tuple[Made, Mapping[str, str], Sequence[str]]]) -> Iterator[bytes]:
        """Yield the archive that `docker load` takes, with each (stand-in, labels, names).

        The form is `docker save`'s (Docker image specification v1.2): both image stores of every version read it.
        """
        manifest = []
        layers: dict[str, int] = {}
        for made, labels, names in images:
            document = made.image(labels)
            name = f"{sha256(document).hexdigest()}.json"
            yield _member(name, document)
            files = [f"{layer.diff_id.removeprefix('sha256:')}.tar" for layer in made.layers]
            manifest.append({"Config": name, "RepoTags": list(names), "Layers": files})
            layers |= {layer.diff_id: layer.size_bytes for layer in made.layers}
        for diff_id, size in layers.items():
            file = self.layer_file(diff_id)
            yield _head(file.name, size)
            with file.open("rb") as opened:
                while chunk := opened.read(CHUNK_BYTES):
                    yield chunk
            yield _padding(size)
        yield _member("manifest.json", json.dumps(manifest).encode())
        yield bytes(2 * tarfile.BLOCKSIZE)

    def _forget_old(self, key: str) -> None:
        """Remove all but the newest records of `key`, and layers that no record names any more."""
        files = sorted((self.folder / "records").glob("*.json"), key=lambda file: file.stat().st_mtime)
        records = {file: json.loads(file.read_text(encoding="utf-8")) for file in files}
        for file in [file for file, said in records.items() if said["key"] == key][:-KEPT_RECORDS]:
            file.unlink(missing_ok=True)
            del records[file]
        named = {self.layer_file(layer["diff_id"]) for said in records.values() for layer in said["layers"]}
        for file in (self.folder / "layers").glob("*.tar"):
            # Another process may have put it there a moment ago, and be about to write its record.
            if file not in named and time.time() - file.stat().st_mtime > SETTLED_S:
                file.unlink(missing_ok=True)

    def _records(self, key: str, recipe: str) -> Iterator[Path]:
        return (self.folder / "records").glob(f"{key}-{recipe[:12]}-*.json")

    def _whole(self, layer: MadeLayer) -> bool:
        file = self.layer_file(layer.diff_id)
        return file.exists() and file.stat().st_size == layer.size_bytes


def _head(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    return info.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)


def _member(name: str, content: bytes) -> bytes:
    head = io.BytesIO()
    head.write(_head(name, len(content)) + content + _padding(len(content)))
    return head.getvalue()
