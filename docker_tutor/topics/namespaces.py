"""Namespaces: what a container has of its own, and what it shares with the world outside it.

"Outside" is always the container's parent, the shim: it stands in the engine's own namespaces, whatever machine,
network namespace or virtual machine the engine lives in. Source: `man 7 namespaces`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _
from docker_tutor.topics import probes
from docker_tutor.topics.namespace_surroundings import interfaces, mounts
from docker_tutor.topics.namespace_views import hostname, ipc, pid_one, root

__all__ = [
    "KINDS",
    "Matrix",
    "Resident",
    "hostname",
    "interfaces",
    "ipc",
    "matrix",
    "mounts",
    "pid_one",
    "root",
    "sharing",
]

KINDS = ("pid", "net", "mnt", "uts", "ipc", "user", "cgroup", "time")
"""The eight kinds, under the names of their links in /proc/PID/ns."""

_LINKS = """
import json, os, sys
def links(pid):
    folder = f"/proc/{pid}/ns/"
    return {kind: os.stat(folder + kind).st_ino for kind in sys.argv[2].split(",") if os.path.exists(folder + kind)}
pids = [int(pid) for pid in sys.argv[1].split(",")]
parent = int(open(f"/proc/{pids[0]}/stat").read().rpartition(")")[2].split()[1])
print(json.dumps({"outside": parent, "links": {pid: links(pid) for pid in [*pids, parent]}}))
"""


@dataclass(frozen=True, slots=True)
class Resident:
    """One process and the namespaces it stands in."""

    name: str
    pid: int
    """Its number outside, in the engine's PID namespace."""
    inodes: Mapping[str, int]
    """Kind of namespace → inode of /proc/PID/ns/KIND. Equal inodes are one and the same namespace."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Namespaces × processes: who shares what with whom."""

    outside: Resident
    """The shim, a process of the engine."""
    containers: tuple[Resident, ...]

    @property
    def residents(self) -> tuple[Resident, ...]:
        """Everyone, the outside first."""
        return (self.outside, *self.containers)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that this kernel has, in the order of `KINDS`."""
        return tuple(kind for kind in KINDS if kind in self.outside.inodes)

    def shared(self, name: str, other: str | None = None) -> frozenset[str]:
        """Return the kinds of namespace that container `name` shares with container `other`, or with the outside.

        Raises KeyError when no container has that name.
        """
        found = {resident.name: resident.inodes for resident in self.containers}
        one, two = found[name], found[other] if other else self.outside.inodes
        return frozenset(kind for kind in self.kinds if one[kind] == two[kind])

    def to_frame(self) -> pd.DataFrame:
        """Return the inodes: a row for each kind of namespace, a column for each process."""
        columns = {resident.name: [resident.inodes[kind] for kind in self.kinds] for resident in self.residents}
        return pd.DataFrame({_("namespace"): self.kinds, **columns})


def matrix(room: Room, *names: str) -> Matrix:
    """Read the namespaces of running containers, and of the first one's parent. Source: `man 7 namespaces`."""
    pids = {name: probes.pid_outside(room, name) for name in names}
    found = probes.outside(room, _LINKS, ",".join(map(str, pids.values())), ",".join(KINDS))
    links = {int(pid): inodes for pid, inodes in found["links"].items()}
    outside = Resident(_("outside (shim)"), found["outside"], links[found["outside"]])
    return Matrix(outside, tuple(Resident(name, pid, links[pid]) for name, pid in pids.items()))


def sharing(room: Room) -> Matrix:
    """Start four containers, three of which share one namespace on purpose, and read whose is whose.

    `plain` shares nothing on purpose, `joins pid` runs with `--pid=container:plain`, `joins net` with
    `--network=container:plain`, `host uts` with `--uts=host`.
    """
    with probes.running(room, "plain") as plain:
        ways = (f"--pid=container:{plain}", f"--network=container:{plain}", "--uts=host")
        with (
            probes.running(room, "joins-pid", ways[0]) as pid,
            probes.running(room, "joins-net", ways[1]) as net,
            probes.running(room, "host-uts", ways[2]) as uts,
        ):
            found = matrix(room, plain, pid, net, uts)
    titles = ("plain", "joins pid", "joins net", "host uts")
    return Matrix(
        found.outside,
        tuple(Resident(title, each.pid, each.inodes) for title, each in zip(titles, found.containers, strict=True)),
    )
