"""An image taken apart: which file each layer adds, changes or hides, read from what `docker save` writes.

The archive is walked once, layer by layer, against the view that the layers below give. A file `.wh.NAME` in a
layer hides NAME, and `.wh..wh..opq` everything below its folder (OCI image-spec, "Layer Filesystem Changeset").
"""

import json
import posixpath
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Literal

from docker_tutor.classroom.room import Room

__all__ = ["Change", "Layer", "Line", "save"]

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"


@dataclass(frozen=True, slots=True)
class Change:
    """What one layer does to one path."""

    path: str
    """Absolute."""
    kind: Literal["added", "changed", "removed"]
    size_bytes: int
    """Of the file in this layer; 0 for a removed one, for a folder and for a link."""
    hidden_bytes: int
    """Of what lies below in other layers and is still shipped, but can no longer be seen."""
    folder: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an image's history."""

    instruction: str
    layer: int | None
    """The layer that it made, counted from 0 at the bottom; None for what only writes into the configuration."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One read-only layer."""

    index: int
    """0 is the lowest."""
    digest: str
    """The `diff_id`: digest of the uncompressed tar."""
    instruction: str
    changes: tuple[Change, ...]

    @property
    def size_bytes(self) -> int:
        """The files that it brings."""
        return sum(change.size_bytes for change in self.changes)

    @property
    def hidden_bytes(self) -> int:
        """What it hides of the layers below."""
        return sum(change.hidden_bytes for change in self.changes)

    def count(self, kind: str) -> int:
        """Return how many paths it has of one kind, folders left out."""
        return sum(change.kind == kind and not change.folder for change in self.changes)


def save(room: Room, image: str) -> tuple[tuple[Layer, ...], tuple[Line, ...], dict[str, int]]:
    """Read an image's layers, its history, and the final view (path → bytes). The archive is removed again."""
    # By its id: a name without a tag would save every image of that name.
    identity = room.api.inspect_image(image)["Id"]
    with tempfile.TemporaryFile(dir=room.folder) as archive:
        for chunk in room.api.get_image(identity):
            archive.write(chunk)
        archive.seek(0)
        with tarfile.open(fileobj=archive) as outer:
            manifest = json.load(_member(outer, "manifest.json"))[0]
            config: dict[str, Any] = json.load(_member(outer, manifest["Config"]))
            lines = _history(config)
            view: dict[str, int] = {}
            layers = tuple(
                Layer(
                    index=index,
                    digest=digest,
                    instruction=next((line.instruction for line in lines if line.layer == index), ""),
                    changes=tuple(_walk(_member(outer, name), view)),
                )
                for index, (name, digest) in enumerate(
                    zip(manifest["Layers"], config["rootfs"]["diff_ids"], strict=True)
                )
            )
    return layers, lines, view


def _member(outer: tarfile.TarFile, name: str) -> IO[bytes]:
    found = outer.extractfile(name)
    if found is None:
        raise KeyError(name)
    return found


def _history(config: dict[str, Any]) -> tuple[Line, ...]:
    lines = []
    layer = 0
    for entry in config.get("history") or ():
        makes_files = not entry.get("empty_layer", False)
        text = _readable(entry.get("created_by") or entry.get("comment") or "")
        lines.append(Line(text, layer if makes_files else None))
        layer += makes_files
    return tuple(lines)


def _readable(created_by: str) -> str:
    """Undo what builders add: `RUN /bin/sh -c echo # buildkit` → `RUN echo`."""
    text = created_by.removesuffix(" # buildkit").strip()
    if text.startswith("/bin/sh -c #(nop)"):
        return text.removeprefix("/bin/sh -c #(nop)").strip()
    if text.startswith("/bin/sh -c"):
        text = f"RUN {text}"
    return text.replace("RUN /bin/sh -c ", "RUN ", 1)


def _walk(blob: IO[bytes], view: dict[str, int]) -> Iterator[Change]:
    """Yield the changes of one layer, and bring `view` up to date. A layer may be compressed."""
    own: set[str] = set()
    with tarfile.open(fileobj=blob, mode="r|*") as layer:
        for member in layer:
            path = posixpath.join("/", member.name.removeprefix("./")).rstrip("/") or "/"
            folder, name = posixpath.split(path)
            if name == OPAQUE:
                hidden = _hide(view, folder, spare=own)
                yield Change(folder, "removed", 0, hidden, folder=True)
            elif name.startswith(WHITEOUT):
                target = posixpath.join(folder, name.removeprefix(WHITEOUT))
                was_folder = target not in view or view[target] < 0
                hidden = _hide(view, target, spare=own)
                view.pop(target, None)
                yield Change(target, "removed", 0, hidden, folder=was_folder)
            elif member.isdir():
                if path not in view:
                    view[path] = FOLDER
                    yield Change(path, "added", 0, 0, folder=True)
            else:
                size = member.size if member.isreg() else 0
                before = view.get(path)
                own.add(path)
                view[path] = size
                hidden = max(before or 0, 0)
                yield Change(path, "added" if before is None else "changed", size, hidden)


FOLDER = -1
"""In a view: this path is a folder."""


def _hide(view: dict[str, int], path: str, spare: set[str]) -> int:
    """Take a path's content out of the view, except what this layer itself brought; return its bytes."""
    below = f"{path}/"
    gone = [each for each in view if (each == path or each.startswith(below)) and each not in spare]
    hidden = sum(max(view[each], 0) for each in gone)
    for each in gone:
        if each != path:
            del view[each]
    if path in view and path not in spare and view[path] >= 0:
        del view[path]
    return hidden
