"""The engine's network and UTS namespaces, held by bind mounts: they need no process to live.

A namespace's inode number is used again soon after it has gone. Only while our bind mount holds it does the
number prove that a process belongs to us. Source: `man 7 namespaces`, `man 1 unshare`.
"""

import ctypes
import os
import re
import subprocess
from pathlib import Path

from docker_tutor.engines import port_ranges
from docker_tutor.engines.private.layout import Layout
from docker_tutor.errors import EngineStartFailed
from docker_tutor.i18n import _

__all__ = ["create", "held", "mounts_below", "unmount_below"]

HOST_NAME = "docker-tutor"
MNT_DETACH = 2
ESCAPED = re.compile(r"\\([0-7]{3})")
"""How the mount table writes spaces, tabs, newlines and backslashes (`man 5 proc`)."""


def create(layout: Layout, ports: port_ranges.Ports | None) -> None:
    """Make both namespaces and hold them; `ports` are given out in the first. Raises `EngineStartFailed`."""
    for file in (layout.network_namespace, layout.uts_namespace):
        file.parent.mkdir(mode=0o700, exist_ok=True)
        file.touch()
    command = ["unshare", f"--net={layout.network_namespace}", f"--uts={layout.uts_namespace}"]
    settings = f"echo {HOST_NAME} >/proc/sys/kernel/hostname; {port_ranges.setting(ports)}"
    done = subprocess.run([*command, "sh", "-ec", settings], capture_output=True, text=True, check=False)
    if done.returncode:
        raise EngineStartFailed(
            _(
                "This root may not make namespaces ({said}): the private engine needs a machine or a "
                "container that allows it (CAP_SYS_ADMIN)."
            ).format(said=done.stderr.strip())
        )


def held(layout: Layout) -> int | None:
    """Return the inode of the network namespace that we hold; None when we hold none."""
    if layout.network_namespace in mounts_below(layout.runtime):
        return layout.network_namespace.stat().st_ino
    return None


def mounts_below(*folders: Path) -> list[Path]:
    """Return what is mounted at or below `folders`, the latest first."""
    found = []
    with Path("/proc/self/mountinfo").open(encoding="utf-8", errors="surrogateescape") as table:
        for line in table:
            point = Path(ESCAPED.sub(lambda escape: chr(int(escape[1], 8)), line.split(" ")[4]))
            if any(point.is_relative_to(folder) for folder in folders):
                found.append(point)
    return found[::-1]


def unmount_below(*folders: Path) -> list[Path]:
    """Unmount what is mounted below `folders` and return what would not go."""
    libc = ctypes.CDLL(None, use_errno=True)
    for point in mounts_below(*folders):
        if libc.umount2(os.fsencode(point), 0):
            # Busy, because a dying process still stands in it: it goes when the last one has left.
            libc.umount2(os.fsencode(point), MNT_DETACH)
    return mounts_below(*folders)
