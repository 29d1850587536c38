"""Dig for a secret in an image: every blob, the history and the build cache, with the byte where it lies.

Sources: OCI image-spec (layers and config); Dockerfile reference, `RUN --mount=type=secret`.
"""

import gzip
import io
import json
import secrets
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.topics import builds

__all__ = ["METHODS", "Dig", "Find", "Season", "dig", "season"]

BASE = "alpine:3.19"
TOKEN_BYTES = 20
METHODS = {
    "build argument": 'ARG TOKEN\nRUN test -n "$TOKEN"',
    "environment variable": "ARG TOKEN\nENV TOKEN=$TOKEN\nRUN true\nENV TOKEN=",
    "copied, then removed": "COPY token.txt /token.txt\nRUN cat /token.txt > /dev/null\nRUN rm /token.txt",
    "written, then removed": "ARG TOKEN\nRUN echo $TOKEN > /token.txt\nRUN rm /token.txt",
    "secret mount": "RUN --mount=type=secret,id=token test -s /run/secrets/token",
}
"""Five ways to hand a token to a build: what stands in the Dockerfile after `FROM`."""


@dataclass(frozen=True, slots=True)
class Find:
    """One place in which the token was found."""

    place: str
    """`config`, `layer 1` … from the bottom, or `build cache`."""
    path: str
    """The file within the layer, the key within the config, or the cache record's description."""
    offset_bytes: int
    """Where it begins in the (uncompressed) blob or text."""


@dataclass(frozen=True, slots=True)
class Dig:
    """One image, searched through."""

    image: str
    layers: int
    finds: tuple[Find, ...]

    def in_place(self, place: str) -> tuple[Find, ...]:
        """Return the finds in one place."""
        return tuple(find for find in self.finds if find.place == place)


@dataclass(frozen=True, slots=True)
class Season:
    """The same token, handed to a build in several ways, and searched for after each."""

    token: str
    digs: dict[str, Dig]
    """For each method what was found."""

    def to_frame(self) -> pd.DataFrame:
        """Return one line per find; a method under which nothing was found has one line that says so."""
        rows: list[tuple[str, str, str, int | None]] = []
        for method, found in self.digs.items():
            rows += [(method, find.place, find.path[:60], find.offset_bytes) for find in found.finds]
            if not found.finds:
                rows.append((method, "nowhere", "", None))
        table = pd.DataFrame(rows, columns=["method", "place", "path", "offset_bytes"])
        return table.astype({"offset_bytes": "Int64"})


def dig(room: Room, image: str, token: str) -> Dig:
    """Search every blob of `image` and the build cache's records for `token`.

    Layers are searched uncompressed, file by file, deleted files included: a later layer does not
    remove what an earlier one ships.
    """
    needle = token.encode()
    finds: list[Find] = []
    archive = room.folder / f"{room.unique('dig')}.tar"
    try:
        room.cli("save", "-o", str(archive), image, timeout_s=300)
        with tarfile.open(archive) as export:
            manifest = json.loads(_read(export, "manifest.json"))[0]
            config = _read(export, manifest["Config"])
            finds += _in_config(config, needle)
            for number, name in enumerate(manifest["Layers"], start=1):
                finds += _in_layer(f"layer {number}", _read(export, name), needle)
    finally:
        archive.unlink(missing_ok=True)
    finds += _in_cache(room, token)
    return Dig(image, len(manifest["Layers"]), tuple(finds))


def season(room: Room, token: str | None = None) -> Season:
    """Build one image for each of `METHODS`, with a token nobody has seen before, and search each."""
    token = token or "ghp_" + secrets.token_hex(TOKEN_BYTES)
    digs = {}
    for number, (method, lines) in enumerate(METHODS.items(), start=1):
        tag = f"{room.unique('dig')}:{number}"
        folder = builds.write_context(room.folder / f"dig-{number}", {"token.txt": token})
        builds.build(
            room,
            folder,
            tag=tag,
            dockerfile=f"FROM {BASE}\nLABEL method={number}\n{lines}\n",
            arguments={"TOKEN": token} if "ARG TOKEN" in lines else None,
            secrets={"token": Path(folder) / "token.txt"} if "type=secret" in lines else None,
        )
        digs[method] = dig(room, tag, token)
        room.cli("rmi", "-f", tag)
    return Season(token, digs)


def _read(export: tarfile.TarFile, name: str) -> bytes:
    file = export.extractfile(name)
    return file.read() if file else b""


def _offsets(data: bytes, needle: bytes) -> list[int]:
    offsets, at = [], data.find(needle)
    while at >= 0:
        offsets.append(at)
        at = data.find(needle, at + 1)
    return offsets


def _in_config(config: bytes, needle: bytes) -> list[Find]:
    document = json.loads(config)
    keys = {"history": json.dumps(document.get("history", [])), "config": json.dumps(document.get("config", {}))}
    holding = ", ".join(key for key, text in keys.items() if needle.decode() in text)
    return [Find("config", holding, offset) for offset in _offsets(config, needle)]


def _in_layer(place: str, blob: bytes, needle: bytes) -> list[Find]:
    data = gzip.decompress(blob) if blob.startswith(b"\x1f\x8b") else blob
    offsets = _offsets(data, needle)
    if not offsets:
        return []
    with tarfile.open(fileobj=io.BytesIO(data)) as layer:
        spans = [(m.offset_data, m.offset_data + m.size, m.name) for m in layer if m.isfile()]
    return [
        Find(place, next((f"/{name}" for start, end, name in spans if start <= at < end), "between files"), at)
        for at in offsets
    ]


def _in_cache(room: Room, token: str) -> list[Find]:
    # What BuildKit keeps of its steps, as `docker buildx du` describes it: the command lines, arguments filled in.
    records = room.cli("buildx", "du", "--verbose", check=False).stdout
    lines = [line for line in records.splitlines() if token in line]
    return [Find("build cache", line.strip(), line.index(token)) for line in lines]
