"""What an image is on paper: index, manifest, config and layers, each named by the SHA-256 of its bytes.

Source: OCI image-spec (image-layout, manifest, config); `docker save` writes that layout since Engine 25.
"""

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.errors import ImageError
from docker_tutor.i18n import _

__all__ = ["Blob", "Handmade", "Walk", "assemble", "walk"]

GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Blob:
    """One file of the layout: what points to it, what it is, and whether its name is true."""

    kind: str
    """`index`, `manifest`, `config` or `layer 1`, `layer 2` … from the bottom."""
    media_type: str
    size_bytes: int
    digest: str
    """The name under which the file above refers to it."""
    recomputed: str
    """The SHA-256 of the bytes found under that name."""
    diff_id: str = ""
    """For a layer: the SHA-256 of the uncompressed tar, which is how the config names it."""

    @property
    def true(self) -> bool:
        """Whether the name is the digest of the content."""
        return self.digest == self.recomputed


@dataclass(frozen=True, slots=True)
class Walk:
    """An exported image, walked from its index to its layers."""

    image: str
    blobs: tuple[Blob, ...]
    config: dict[str, Any]
    """The image config as written: `Env`, `Cmd`, `history` and `rootfs.diff_ids`."""

    @property
    def layers(self) -> tuple[Blob, ...]:
        """The layers, lowest first."""
        return tuple(blob for blob in self.blobs if blob.kind.startswith("layer"))

    def to_frame(self) -> pd.DataFrame:
        """Return one line per file; digests are shortened to twelve digits."""
        return pd.DataFrame(
            {
                "file": [blob.kind for blob in self.blobs],
                "media type": [blob.media_type for blob in self.blobs],
                "size_bytes": [blob.size_bytes for blob in self.blobs],
                "named": [blob.digest.removeprefix("sha256:")[:12] for blob in self.blobs],
                "recomputed": [blob.recomputed.removeprefix("sha256:")[:12] for blob in self.blobs],
            }
        )


@dataclass(frozen=True, slots=True)
class Handmade:
    """An image put together without `docker build`, and what it said when it was run."""

    name: str
    image_id: str
    config_digest: str
    """The digest computed here before the engine saw the image."""
    output: str

    def to_frame(self) -> pd.DataFrame:
        """Return the facts, one per line."""
        facts = asdict(self)
        return pd.DataFrame({"fact": list(facts), "value": list(facts.values())})


def sha256(data: bytes) -> str:
    """Return the digest as the specification writes it: `sha256:` and 64 hexadecimal digits."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def walk(room: Room, image: str) -> Walk:
    """Export `image` and follow every reference in it, recomputing each digest.

    Raises ImageError when the export is not an OCI layout (Engine older than 25).
    """
    archive = room.folder / f"{room.unique('walk')}.tar"
    try:
        room.cli("save", "-o", str(archive), image, timeout_s=300)
        with tarfile.open(archive) as layout:
            return _walk(image, layout)
    finally:
        archive.unlink(missing_ok=True)


def _walk(image: str, layout: tarfile.TarFile) -> Walk:
    def read(path: str) -> bytes:
        try:
            member = layout.extractfile(path)
        except KeyError as error:
            message = _("The export of {image} has no {path}: an engine from 25 on writes the OCI layout")
            raise ImageError(message.format(image=image, path=path)) from error
        return member.read() if member else b""

    def blob(kind: str, descriptor: dict[str, Any]) -> tuple[Blob, bytes]:
        data = read("blobs/" + descriptor["digest"].replace(":", "/"))
        diff_id = ""
        if kind.startswith("layer"):
            diff_id = sha256(gzip.decompress(data) if data.startswith(GZIP_MAGIC) else data)
        found = Blob(kind, descriptor["mediaType"], len(data), descriptor["digest"], sha256(data), diff_id)
        return found, data

    blobs = []
    index = json.loads(read("index.json"))
    # An index may point to a further index, one entry per platform.
    found, data = blob("manifest", index["manifests"][0])
    while "manifests" in (document := json.loads(data)):
        blobs.append(Blob("index", found.media_type, found.size_bytes, found.digest, found.recomputed))
        found, data = blob("manifest", document["manifests"][0])
    blobs.append(found)
    config, raw = blob("config", document["config"])
    blobs.append(config)
    blobs += [blob(f"layer {number}", layer)[0] for number, layer in enumerate(document["layers"], start=1)]
    return Walk(image, tuple(blobs), json.loads(raw))


def assemble(room: Room, name: str, files: dict[str, bytes], command: list[str]) -> Handmade:
    """Put an image together from `files` (path → content, all executable), load it and run it.

    One tar is the layer, one JSON file the config, one more says which belongs to which: nothing else is needed.
    """
    layer = _tar(files, mode=0o755)
    platform = room.api.version()
    config = {
        "architecture": platform["Arch"],
        "os": platform["Os"],
        "config": {"Cmd": command},
        "rootfs": {"type": "layers", "diff_ids": [sha256(layer)]},
        "history": [{"created_by": "written by hand"}],
    }
    written = json.dumps(config).encode()
    config_name = hashlib.sha256(written).hexdigest() + ".json"
    manifest = [{"Config": config_name, "RepoTags": [name], "Layers": ["layer.tar"]}]
    image = _tar({config_name: written, "layer.tar": layer, "manifest.json": json.dumps(manifest).encode()})
    archive = Path(room.folder) / f"{room.unique('handmade')}.tar"
    archive.write_bytes(image)
    try:
        room.cli("load", "-i", str(archive))
    finally:
        archive.unlink()
    output = room.cli("run", "--rm", "--network", "none", name).stdout
    return Handmade(name, room.api.inspect_image(name)["Id"], sha256(written), output.strip())


def _tar(files: dict[str, bytes], mode: int = 0o644) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, data in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(data)
            member.mode = mode
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()
