"""Keep a guest's disk in a form that can be copied: a disk has holes, and an image's layers do not keep them.

Made once where a sandbox is prepared (Binder builds an image of it), unpacked by the first `up` there. Zeros are not
written: what is unpacked takes as much room as what was used. Those that a guest wrote become holes first (`man 1
fallocate`, --dig-holes).
"""

import subprocess
from pathlib import Path

from docker_tutor.engines.vm.layout import Layout
from docker_tutor.engines.vm.saved import forget
from docker_tutor.errors import DiskFull, EngineStartFailed
from docker_tutor.i18n import _

__all__ = ["pack", "unpack"]


def pack(layout: Layout) -> Path | None:
    """Turn the disk of a guest that is stopped into a packed one; return its file, None when there is no disk."""
    if not layout.disk.exists():
        return None
    making = layout.packed_disk.with_suffix(".making")
    # Where the file system cannot do it, the disk is packed as it is.
    subprocess.run(["fallocate", "--dig-holes", str(layout.disk)], capture_output=True, check=False)
    _tar(["--create", "--sparse", "--file", str(making), "--directory", str(layout.data), layout.disk.name], making)
    making.replace(layout.packed_disk)
    forget(layout)  # its keys are not for everybody who gets the disk
    layout.disk.unlink()
    return layout.packed_disk


def unpack(layout: Layout) -> bool:
    """Make the disk from the packed one if only that is there; return whether it did. Raises `DiskFull`."""
    if layout.disk.exists() or not layout.packed_disk.exists():
        return False
    making = layout.data / ".unpacking"
    making.mkdir(exist_ok=True)
    made = making / layout.disk.name
    _tar(["--extract", "--sparse", "--file", str(layout.packed_disk), "--directory", str(making)], made)
    made.replace(layout.disk)
    making.rmdir()
    return True


def _tar(words: list[str], made: Path) -> None:
    done = subprocess.run(["tar", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        made.unlink(missing_ok=True)
        if "No space left" in done.stderr:
            raise DiskFull(_("The disk is full: make room in {folder}.").format(folder=made.parent))
        raise EngineStartFailed(
            _("The packed disk {file} cannot be used: {said}").format(file=made.name, said=done.stderr.strip())
        )
