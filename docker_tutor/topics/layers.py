"""Images as stacks of read-only layers, and the one writable layer of each container on top.

The stack is read from what `docker save` writes (`layers_archive`), so that both image stores give the same
numbers. Bytes are those of the files; what a layer takes on disk or on the wire differs.
"""

from collections import defaultdict
from dataclasses import dataclass

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.topics.layers_archive import Change, Layer, Line, save
from docker_tutor.topics.layers_dive import Dive, dive

__all__ = ["Change", "Dive", "Image", "Layer", "Line", "PrivateWrites", "analyse", "dive", "private_writes"]


@dataclass(frozen=True, slots=True)
class Image:
    """An image taken apart."""

    name: str
    layers: tuple[Layer, ...]
    """From the lowest to the highest."""
    history: tuple[Line, ...]
    """From the first line to the last, those included that made no layer."""
    visible_bytes: int
    """The files that a container sees."""

    @property
    def shipped_bytes(self) -> int:
        """The files of all layers: what travels and what lies on the disk."""
        return sum(layer.size_bytes for layer in self.layers)

    @property
    def wasted_bytes(self) -> int:
        """Shipped, and never to be seen: changed or removed by a higher layer."""
        return self.shipped_bytes - self.visible_bytes

    @property
    def efficiency(self) -> float:
        """Visible ÷ shipped: 1 when nothing is shipped in vain."""
        return self.visible_bytes / self.shipped_bytes if self.shipped_bytes else 1.0

    def to_frame(self) -> pd.DataFrame:
        """One row for each line of the history."""
        rows = []
        for line in self.history:
            layer = None if line.layer is None else self.layers[line.layer]
            rows.append(
                {
                    "line": line.instruction,
                    "layer": "" if layer is None else layer.digest.removeprefix("sha256:")[:12],
                    "size [B]": 0 if layer is None else layer.size_bytes,
                    "added": 0 if layer is None else layer.count("added"),
                    "changed": 0 if layer is None else layer.count("changed"),
                    "removed": 0 if layer is None else layer.count("removed"),
                    "hides [B]": 0 if layer is None else layer.hidden_bytes,
                }
            )
        return pd.DataFrame(rows)

    def waste(self, top: int = 10) -> pd.DataFrame:
        """Return the paths that are shipped in vain, the largest first."""
        lost: defaultdict[str, int] = defaultdict(int)
        layers: defaultdict[str, list[str]] = defaultdict(list)
        for layer in self.layers:
            for change in layer.changes:
                if change.hidden_bytes:
                    lost[change.path] += change.hidden_bytes
                    layers[change.path].append(f"{change.kind} in {layer.index}")
        rows = [
            {"path": path, "wasted [B]": size, "how": ", ".join(layers[path])}
            for path, size in sorted(lost.items(), key=lambda item: -item[1])[:top]
        ]
        return pd.DataFrame(rows, columns=["path", "wasted [B]", "how"])


@dataclass(frozen=True, slots=True)
class PrivateWrites:
    """Two containers of one image, of which one wrote."""

    writer_reads: str
    """What the one that wrote reads back."""
    other_reads: str
    """What the other one reads under the same path."""
    writer_changes: tuple[str, ...]
    """`docker diff` of the one, for example `A /note`."""
    other_changes: tuple[str, ...]
    image_layers: tuple[str, ...]
    """Digests of the image's layers."""
    committed_layers: tuple[str, ...]
    """Those of the image that `docker commit` made of the one that wrote."""

    @property
    def new_layers(self) -> int:
        """How many layers the commit put on top of the image's own; -1 if it did not keep those."""
        kept = self.committed_layers[: len(self.image_layers)] == self.image_layers
        return len(self.committed_layers) - len(self.image_layers) if kept else -1

    def to_frame(self) -> pd.DataFrame:
        """One row for each container."""
        return pd.DataFrame(
            [
                {"container": "writer", "reads": self.writer_reads, "docker diff": "\n".join(self.writer_changes)},
                {"container": "other", "reads": self.other_reads, "docker diff": "\n".join(self.other_changes)},
            ]
        )


def analyse(room: Room, image: str) -> Image:
    """Take an image apart: every layer with the files that it adds, changes and removes. Raises docker's errors."""
    layers, lines, view = save(room, image)
    return Image(image, layers, lines, sum(max(size, 0) for size in view.values()))


def private_writes(room: Room, *, image: str = "alpine:3.19") -> PrivateWrites:
    """Let one of two containers write, read in both, compare `docker diff`, and commit the writer to an image."""
    names = [room.unique("writer"), room.unique("other")]
    tag = room.unique("committed")
    read = "cat /note 2>&1 || true"
    try:
        for name in names:
            room.cli("run", "--detach", "--name", name, image, "sleep", "600")
        room.cli(
            "exec", names[0], "sh", "-c", "echo mine > /note && echo more >> /etc/hostname.bak && rm -f /etc/issue"
        )
        reads = [room.cli("exec", name, "sh", "-c", read).stdout.strip() for name in names]
        changes = [tuple(room.cli("diff", name).stdout.splitlines()) for name in names]
        room.cli("commit", names[0], tag)
        layers = [tuple(room.api.inspect_image(each)["RootFS"]["Layers"]) for each in (image, tag)]
    finally:
        room.cli("rm", "--force", *names, check=False)
        room.cli("image", "rm", "--force", tag, check=False)
    return PrivateWrites(reads[0], reads[1], changes[0], changes[1], layers[0], layers[1])
