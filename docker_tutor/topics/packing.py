"""Where a file must be removed so that an image gets smaller: in the `RUN` that made it, or not at all.

The typed commands of the chapter do it with apt and its lists; here files of known size stand for them, so that
every byte can be accounted for. Source: OCI image-spec, "Layer" (whiteouts).
"""

import uuid
from dataclasses import dataclass

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _
from docker_tutor.topics import builds, layers
from docker_tutor.units import MiB

__all__ = ["Packed", "Packing", "split_and_combined"]

BASE = "alpine:3.19"
MAKE_LISTS = "mkdir -p /lists && head -c {lists} /dev/urandom > /lists/index"
INSTALL = "head -c {program} /dev/urandom > /program"
CLEAN = "rm -rf /lists"


@dataclass(frozen=True, slots=True)
class Packed:
    """One image: its own layers, above the base."""

    way: str
    layer_bytes: tuple[int, ...]
    instructions: tuple[str, ...]
    visible_bytes: int
    """What a container of it sees, the base excepted."""

    @property
    def shipped_bytes(self) -> int:
        """What travels, the base excepted."""
        return sum(self.layer_bytes)


@dataclass(frozen=True, slots=True)
class Packing:
    """The same program, installed in three `RUN`s and in one."""

    lists_bytes: int
    program_bytes: int
    split: Packed
    combined: Packed

    def to_frame(self) -> pd.DataFrame:
        """Return one line per layer."""
        rows = [
            (packed.way, instruction, size)
            for packed in (self.split, self.combined)
            for instruction, size in zip(packed.instructions, packed.layer_bytes, strict=True)
        ]
        return pd.DataFrame(rows, columns=["way", "line", "layer [B]"])


def split_and_combined(room: Room, *, lists_bytes: int = 12 * MiB, program_bytes: int = 4 * MiB) -> Packing:
    """Fetch lists, install a program, remove the lists: in three `RUN`s, then in one; weigh every layer."""
    steps = [MAKE_LISTS.format(lists=lists_bytes), INSTALL.format(program=program_bytes), CLEAN]
    split = _packed(room, _("three RUNs"), "".join(f"RUN {step}\n" for step in steps))
    combined = _packed(room, _("one RUN"), f"RUN {' && '.join(steps)}\n")
    return Packing(lists_bytes, program_bytes, split, combined)


def _packed(room: Room, way: str, lines: str) -> Packed:
    tag = room.unique("packing")
    folder = builds.write_context(room.folder / "packing", {"empty": ""})
    builds.build(room, folder, tag=tag, dockerfile=f"FROM {BASE}\nLABEL way={uuid.uuid4().hex}\n{lines}")
    try:
        image, base = layers.analyse(room, tag), layers.analyse(room, BASE)
    finally:
        room.cli("rmi", "-f", tag)
    own = image.layers[len(base.layers) :]
    return Packed(
        way,
        tuple(layer.size_bytes for layer in own),
        tuple(layer.instruction for layer in own),
        image.visible_bytes - base.visible_bytes,
    )
