"""Make Debian's User-Mode Linux run here: two small changes to a copy of its program, found by pattern.

1. *The loader.* The program asks for `/lib64/ld-linux-x86-64.so.2`, and for a C library as new as its release. It
   cannot be started through another loader (it looks at its own mappings) nor moved by patchelf (it is linked to fixed
   addresses). A name without a slash in the same place is looked up in the folder it is started in (`man 2 execve`):
   the folder of the libraries that came with it.
2. *The registers.* Linux 6.12 as a guest hands a process's registers back with `PTRACE_SETREGSET` and a length of 2696
   bytes, all there was up to AVX-512. A machine with AMX has 11008 and refuses any other length (EFAULT), so that the
   guest's first program dies. The kernel cuts too great a length down to its own, reads the parts that the header
   names, and the guest's header never names those of AMX: so a greater length is right on every machine.

Source: `man 2 ptrace`, Linux kernel `arch/x86/kernel/fpu/regset.c`, `arch/x86/um/os-Linux/registers.c` (6.12).
"""

import re

from docker_tutor.errors import EngineStartFailed
from docker_tutor.i18n import _

__all__ = ["LOADER", "fitted"]

LOADER = "ld-linux-x86-64.so.2"
ASKED = f"/lib64/{LOADER}".encode() + b"\0"
SET_REGISTERS = re.compile(
    rb"(?P<store>\x48\xc7\x45.)\x88\x0a\x00\x00(?P<request>\xbf\x05\x42\x00\x00)",  # length = 2696; request = 0x4205
    re.DOTALL,
)
ENOUGH = (16 << 10).to_bytes(4, "little")


def fitted(program: bytes) -> bytes:
    """Return `program` with both changes. Raises `EngineStartFailed` when the loader's name is not where it has to be.

    A program without the pattern of the registers is a later one, which asks the machine for the length.
    """
    if program.count(ASKED) != 1:
        raise EngineStartFailed(_("This build of User-Mode Linux is not known here: it names no loader, or two."))
    program = program.replace(ASKED, LOADER.encode().ljust(len(ASKED), b"\0"))
    return SET_REGISTERS.sub(lambda found: found["store"] + ENOUGH + found["request"], program)
