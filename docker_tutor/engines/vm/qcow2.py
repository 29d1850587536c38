"""A file for what one guest changes of a disk that all guests share: QEMU's own format, still empty.

QEMU would make one by itself, but without a name, and a guest that is saved has to find it again.
Source: QEMU's manual, "The qcow2 image format" (docs/interop/qcow2.txt), version 3.
"""

import os
import struct
from pathlib import Path

__all__ = ["make_overlay"]

MAGIC = 0x514649FB
VERSION = 3
CLUSTER_BITS = 16
CLUSTER = 1 << CLUSTER_BITS
REFCOUNT_ORDER = 4
"""A count of 2^4 bits for each cluster."""
HEADER = struct.Struct(">IIQIIQIIQQIIQQQQII")
BACKING_FORMAT = 0xE2792ACA
COUNTS, COUNTED, MAP = (number * CLUSTER for number in (1, 2, 3))
"""After the header's cluster: where the counts are, the counts, and where the data is; nothing is anywhere yet."""


def make_overlay(file: Path, base: Path) -> None:
    """Make `file` an overlay of the raw disk `base`, for its owner alone. Raises `OSError`."""
    size, name = base.stat().st_size, os.fsencode(base)
    extensions = struct.pack(">II8sII", BACKING_FORMAT, 3, b"raw", 0, 0)
    entries = -(-size // (CLUSTER * CLUSTER // 8))
    header = HEADER.pack(
        *(MAGIC, VERSION, HEADER.size + len(extensions), len(name), CLUSTER_BITS, size),
        *(0, entries, MAP, COUNTS, 1, 0, 0),
        *(0, 0, 0, REFCOUNT_ORDER, HEADER.size),
    )
    clusters = MAP // CLUSTER + -(-entries * 8 // CLUSTER)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(header + extensions + name)
        for place, content in ((COUNTS, struct.pack(">Q", COUNTED)), (COUNTED, struct.pack(">H", 1) * clusters)):
            opened.seek(place)
            opened.write(content)
        opened.truncate(clusters * CLUSTER)
