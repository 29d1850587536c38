"""The smallest program that says something: an ELF file of a few instructions, written byte by byte.

It needs no library and no interpreter, so an image may consist of it alone. Sources: `man 5 elf`, `man 2 syscall`,
the instruction sets of x86-64 and AArch64.
"""

import struct

from docker_tutor.errors import ImageError
from docker_tutor.i18n import _

__all__ = ["hello"]

BASE = 0x400000
HEADER_BYTES, PROGRAM_HEADER_BYTES = 64, 56
CODE_AT = HEADER_BYTES + PROGRAM_HEADER_BYTES
MACHINES = {"amd64": 62, "arm64": 183}
LONGEST_BYTES = 0xFFFF


def hello(architecture: str, message: str = "hello from a file system of one file") -> bytes:
    """Return a program for `architecture` (`amd64` or `arm64`) that writes `message` and ends with 0.

    Raises ImageError for another architecture, or a message of more than 65,535 bytes.
    """
    said = f"{message}\n".encode()
    if architecture not in MACHINES or len(said) > LONGEST_BYTES:
        raise ImageError(_("There is no such tiny program for {architecture}.").format(architecture=architecture))
    code = _amd64(len(said)) if architecture == "amd64" else _arm64(len(said))
    size = CODE_AT + len(code) + len(said)
    # ELF64, little endian, System V; an executable of one segment that is read and executed.
    identity = b"\x7fELF\x02\x01\x01" + bytes(9)
    entry = BASE + CODE_AT
    numbers = (2, MACHINES[architecture], 1, entry, HEADER_BYTES, 0, 0, HEADER_BYTES, PROGRAM_HEADER_BYTES, 1, 0, 0, 0)
    header = identity + struct.pack("<HHIQQQIHHHHHH", *numbers)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, BASE, BASE, size, size, 0x10000)
    return header + segment + code + said


def _amd64(length: int) -> bytes:
    end = bytes.fromhex("0f05 b83c000000 31ff 0f05")  # syscall; then exit (60) with 0
    find = 5 + len(end)  # from the end of `lea` to the message
    write = bytes.fromhex("b801000000 bf01000000")  # write (1) to file 1
    return write + bytes.fromhex("488d35") + struct.pack("<i", find) + b"\xba" + struct.pack("<I", length) + end


def _arm64(length: int) -> bytes:
    words = [
        0xD2800020,  # mov x0, 1
        0,  # adr x1, the message: below, when its distance is known
        0xD2800002 | length << 5,  # mov x2, length
        0xD2800808,  # mov x8, 64 (write)
        0xD4000001,  # svc 0
        0xD2800000,  # mov x0, 0
        0xD2800BA8,  # mov x8, 93 (exit)
        0xD4000001,  # svc 0
    ]
    distance = 4 * (len(words) - 1)
    words[1] = 0x10000001 | (distance & 3) << 29 | (distance >> 2) << 5
    return struct.pack(f"<{len(words)}I", *words)
