"""What a guest's kernel says on its console, as it was seen, and what its keeper makes of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from docker_tutor.engines import room
from docker_tutor.engines.vm.console import Watch
from docker_tutor.engines.vm.layout import Layout
from docker_tutor.units import GiB

UML = b"critical space allocation error, dev ubdb, sector 630260 op 0x1:(WRITE) flags 0x4800 phys_seg 33 prio class 2\n"
QEMU = b"I/O error, dev vda, sector 4104 op 0x1:(WRITE) flags 0x800 phys_seg 1 prio class 2\n"
HARMLESS = (
    b"uml-vector uml-vector.0 vec0: netif_napi_add_weight() called with weight 128\n"
    b"I/O error, dev vdb, sector 0 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2\n"
    b"I/O error, dev loop0, sector 0 op 0x1:(WRITE) flags 0x0 phys_seg 1 prio class 2\n"
)


def found(said: bytes, size: int = 7) -> Iterator[str]:
    watch = Watch(Layout("x", Path("/run/vm"), Path("/data/vm")))
    pieces = (said[begin : begin + size] for begin in range(0, len(said), size))
    return (why for piece in pieces if (why := watch.feed(piece)))


@pytest.mark.parametrize("size", [3, 1000])
def test_a_disk_that_has_no_room_to_grow_is_named_however_its_line_arrives(size: int) -> None:
    assert next(found(HARMLESS + UML, size)) == "room: /data/vm"


@pytest.mark.parametrize(("free", "what"), [(0, "room"), (GiB, "write")])
def test_an_error_without_a_reason_is_laid_to_a_full_disk_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, free: int, what: str
) -> None:
    monkeypatch.setattr(room, "free_bytes", lambda _folder: free)
    assert next(found(QEMU)) == f"{what}: /run/vm"


def test_other_words_are_no_reason_to_end() -> None:
    assert list(found(HARMLESS)) == []


def test_a_kernel_that_gives_up_is_noticed() -> None:
    assert next(found(b"Kernel panic - not syncing: VFS\n")) == "the guest's kernel gave up"
