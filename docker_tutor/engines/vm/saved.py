"""What is kept of a guest that rests: its state and what belongs to it, to be used once.

A guest's state and its disks belong together, as they were in the moment it was saved: one that ran on has changed
them. So `down` saves (see `saving`) instead of switching the guest off, with what ran in it; the next `up` takes the
state, which is then used up, and the guest goes on where it was. Images, containers and volumes are on its disk as
ever: where there is no state, or one that does not fit, the guest boots from that disk, which it had written out before
it was saved. What is left of it then is what a power failure leaves.

The keys of a guest are its own for as long as it lives, and rest with it; every guest that boots has new ones.

A state fits only the very program, image, processor, memory and folders that it was saved with, the first program and
the settings that the guest was given, and its disk untouched since: all of that is in the `Stamp`, written last.
"""

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from docker_tutor.engines.private.state import write_json
from docker_tutor.engines.vm import qemu
from docker_tutor.engines.vm.image import Image
from docker_tutor.engines.vm.layout import Layout
from docker_tutor.engines.vm.machine import Machine
from docker_tutor.engines.vm.qemu_parts import Parts

__all__ = ["Stamp", "fingerprint", "forget", "keep", "take"]

CPU_FIELDS = ("vendor_id", "cpu family", "model", "model name", "stepping", "microcode", "flags")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a saved state belongs to."""

    fingerprint: str
    """Of everything that a guest sees besides its disk: see `fingerprint`."""
    memory_bytes: int
    state: tuple[int, int]
    """The size of the file, and when it was written last (ns)."""
    disk: tuple[int, int]
    """The same of the guest's disk."""


def fingerprint(machine: Machine, given: str) -> str:
    """Return one word that differs when a state of another machine would not fit `machine`, its memory apart.

    `given` is another such word for what the guest is given.
    """
    image, parts = Image(Path(machine.image)), Parts(Path(machine.parts))
    made = [image.disk, parts.kernel, parts.modules, parts.folder / "qemu", parts.folder / "virtiofsd"]
    seen = {
        "files": [(str(file), *_written(file)) for file in made],
        "how": hashlib.sha256(Path(qemu.__file__).read_bytes()).hexdigest(),
        "accelerator": machine.accelerator,
        # Emulation makes the same processor everywhere.
        "processor": _processor() if machine.accelerator == "kvm" else [],
        "shares": machine.shares,
        "networked": machine.networked,
        "given": given,
    }
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


def keep(layout: Layout, machine: Machine) -> None:
    """Put beside a state that was just saved what belongs to it. QEMU has ended. Raises `OSError`."""
    for file in (layout.certificates, layout.seed, layout.copy_on_write):
        shutil.move(file, layout.saved / file.name)
    with layout.saved_state.open("rb") as state:
        # After a power failure the stamp must not be there without all that it speaks of.
        os.fsync(state.fileno())
    stamp = Stamp(machine.fingerprint, machine.memory_bytes, _written(layout.saved_state), _written(layout.disk))
    write_json(layout.saved_stamp, asdict(stamp))


def take(layout: Layout, fingerprint: str, memory_bytes: range) -> int | None:
    """Put what belongs to the state where a machine looks for it, and return how much memory that machine has.

    None when there is no state for a machine with this fingerprint and as much memory. Either way there is none any
    more: the state itself stays where it is until it is read, and is not found again. Raises `OSError`.
    """
    try:
        found = json.loads(layout.saved_stamp.read_text(encoding="utf-8"))
        stamp = Stamp(**{**found, "state": tuple(found["state"]), "disk": tuple(found["disk"])})
        now = _written(layout.saved_state), _written(layout.disk)
    except (OSError, ValueError, KeyError, TypeError):  # none, or of another version of the course
        forget(layout)
        return None
    fits = stamp.fingerprint == fingerprint and stamp.memory_bytes in memory_bytes
    if not fits or (stamp.state, stamp.disk) != now:
        forget(layout)
        return None
    layout.saved_stamp.unlink()
    try:
        for file in (layout.certificates, layout.seed, layout.copy_on_write):
            shutil.move(layout.saved / file.name, file)
    except FileNotFoundError:
        forget(layout)
        return None
    return stamp.memory_bytes


def forget(layout: Layout) -> None:
    """Remove a state, if there is one."""
    if layout.saved.exists():
        shutil.rmtree(layout.saved)


def _written(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_size, found.st_mtime_ns


def _processor() -> list[str]:
    first, _rest, _others = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")
    return [line for line in first.splitlines() if line.partition(":")[0].strip() in CPU_FIELDS]
