"""Which loader a program asks for is read from its header, without running it."""

import struct

import pytest

from docker_tutor.errors import ImageError
from docker_tutor.topics.statically import interpreter

LOADER = b"/lib64/ld-linux-x86-64.so.2\0"


def elf(kind: int) -> bytes:
    """Make an ELF file with one program header of the given kind, which points to the loader's name."""
    header = b"\x7fELF\x02\x01" + bytes(26) + struct.pack("<Q", 64) + bytes(14) + struct.pack("<HH", 56, 1) + bytes(6)
    return header + struct.pack("<IIQQQQ", kind, 0, 120, 0, 0, len(LOADER)) + bytes(16) + LOADER


def test_a_dynamic_program_names_its_loader() -> None:
    assert interpreter(elf(3)) == "/lib64/ld-linux-x86-64.so.2"


def test_a_static_program_names_none() -> None:
    assert interpreter(elf(1)) == ""


@pytest.mark.parametrize("data", [b"#!/bin/sh\n", b"\x7fELF\x01" + bytes(80)], ids=["a script", "32 bits"])
def test_what_is_no_64_bit_program_is_refused(data: bytes) -> None:
    with pytest.raises(ImageError, match="no 64-bit ELF"):
        interpreter(data)
