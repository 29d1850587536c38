"""What a guest's kernel says on its console that its keeper has to act on: it gave up, or could not write to a disk.

The disks are sparse files, which grow as the guest writes. Where this machine has no room for that, the guest's kernel
is told so by User-Mode Linux ("critical space allocation error"), and that it went wrong by QEMU ("I/O error"). Its
file system writes nothing from then on (see `init.sh`), and what is there stays whole; but Docker is of no use on it.

Source: Linux kernel, block/blk-core.c (blk_print_req_error, the names of errors) and arch/um/drivers/ubd_kern.c.
"""

import logging
import re
from typing import BinaryIO

from docker_tutor.engines import room
from docker_tutor.engines.vm.layout import Layout

__all__ = ["Watch", "append"]

PANIC = b"Kernel panic"
UNWRITTEN = re.compile(rb"(?P<kind>[\w/ ]+) error, dev (?P<disk>ubd|vd)(?P<which>[ab]), sector \d+ op 0x1:\(WRITE\)")
NO_ROOM = b"space allocation"
TAIL_BYTES = 256
"""A line may come in pieces."""
COLOUR = re.compile(rb"\x1b\[[\d;]*m")
"""What dockerd writes because its log goes over a line, as to a terminal."""

log = logging.getLogger("keeper")


class Watch:
    """Reads along."""

    def __init__(self, layout: Layout) -> None:
        """Read along with the console of the machine of `layout`."""
        self._layout = layout
        self._tail = b""

    def feed(self, data: bytes) -> str | None:
        """Return why the machine has to end, as the keeper notes it; None while there is no reason."""
        said = self._tail + data
        self._tail = said[-TAIL_BYTES:]
        if found := UNWRITTEN.search(said):
            folder = self._layout.runtime if found["which"] == b"a" else self._layout.data
            full = NO_ROOM in found["kind"] or room.free_bytes(folder) < room.SCARCE_BYTES
            return f"{'room' if full else 'write'}: {folder}"
        return "the guest's kernel gave up" if PANIC in said else None


def append(file: BinaryIO, data: bytes) -> None:
    """Keep what was said in a log that people read."""
    try:
        file.write(COLOUR.sub(b"", data.replace(b"\r\n", b"\n")))
    except OSError as error:  # a full disk must not stop the machine
        log.debug("not written: %s", error)
