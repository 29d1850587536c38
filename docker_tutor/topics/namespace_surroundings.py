"""What a container finds around itself: its interfaces and routes, its mounts — beside those outside."""

from dataclasses import dataclass

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _
from docker_tutor.topics import networks_interfaces, probes

__all__ = ["Mount", "Mounts", "Networks", "interfaces", "mounts"]

_MOUNTS = """
import json, sys
def mounts(pid):
    for line in open(f"/proc/{pid}/mountinfo"):
        left, _, right = line.partition(" - ")
        yield [left.split()[4], right.split()[0], left.split()[5].split(",")[0]]
print(json.dumps({pid: list(mounts(pid)) for pid in sys.argv[1].split(",")}))
"""

_MOUNT_TMPFS = """
import ctypes, os, sys, time
os.mkdir(sys.argv[1])
failed = ctypes.CDLL(None, use_errno=True).mount(b"own", sys.argv[1].encode(), b"tmpfs", 0, b"size=1m")
print("mount", "failed" if failed else "made", flush=True)
time.sleep(3600)
"""


@dataclass(frozen=True, slots=True)
class Networks:
    """Interfaces and routes on both sides of a network namespace."""

    inside: networks_interfaces.Stack
    outside: networks_interfaces.Stack

    def to_frame(self) -> pd.DataFrame:
        """Return the interfaces of both, the inside first."""
        frames = []
        for side, stack in ((_("inside"), self.inside), (_("outside"), self.outside)):
            frame = stack.to_frame()
            frame.insert(0, _("where"), side)
            frames.append(frame)
        return pd.concat(frames, ignore_index=True)


def interfaces(room: Room) -> Networks:
    """Read a container's interfaces and routes, and the engine's own. Source: `man 7 network_namespaces`."""
    return Networks(networks_interfaces.read_new(room), networks_interfaces.read_new(room, "--network=host"))


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of a mount table."""

    point: str
    file_system: str
    access: str
    """`ro` or `rw`."""


@dataclass(frozen=True, slots=True)
class Mounts:
    """The mount table inside a container, and what of it can be seen outside."""

    inside: tuple[Mount, ...]
    outside_count: int
    made_inside: str
    """Mount point of a tmpfs that the container mounted while it ran."""
    seen_outside: bool
    """Whether that mount point is in the engine's table as well."""
    refused_without_capability: bool

    @property
    def root(self) -> Mount:
        """What is mounted at /."""
        return next(mount for mount in self.inside if mount.point == "/")

    @property
    def made(self) -> bool:
        """Whether the mount made inside is in the container's own table."""
        return any(mount.point == self.made_inside for mount in self.inside)

    def to_frame(self) -> pd.DataFrame:
        """Return the mounts that a person would look for; the kernel's own below /proc and /sys are left out."""
        kept = [each for each in self.inside if not each.point.startswith(("/proc/", "/sys/", "/dev/"))]
        rows = [(each.point, each.file_system, each.access) for each in kept]
        return pd.DataFrame(rows, columns=[_("mounted at"), _("file system"), _("access")])


def mounts(room: Room) -> Mounts:
    """Mount a tmpfs inside a container and look for it on both sides. Source: `man 7 mount_namespaces`.

    The container gets CAP_SYS_ADMIN and no AppArmor profile for that; a second one, without, is refused.
    """
    point = "/made-inside"
    allowed = ("--cap-add=SYS_ADMIN", "--security-opt=apparmor=unconfined")
    command = ("python", "-c", _MOUNT_TMPFS, point)
    with (
        probes.running(room, "mounts", *allowed, command=command) as name,
        probes.running(room, "mounts-not-allowed", command=command) as other,
    ):
        containers = [room.client.containers.get(each) for each in (name, other)]
        for container in containers:
            room.wait.log(container, "mount ", within_s=30)
        refused = b"failed" in containers[1].logs()
        pid = str(probes.pid_outside(room, name))
        table = probes.ask(room, name, _MOUNTS, "self")["self"]
        parent = str(probes.outside(room, f"print(open('/proc/{pid}/stat').read().rpartition(')')[2].split()[1])"))
        outside = probes.outside(room, _MOUNTS, parent)[parent]
    seen = any(each[0].endswith(point) for each in outside)
    return Mounts(tuple(Mount(*each) for each in table), len(outside), point, seen, refused)
