"""The line of processes from the machine's first one down to a container's: what a runtime leaves behind."""

from dataclasses import dataclass

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _
from docker_tutor.topics import probes

__all__ = ["Link", "ProcessTree", "process_tree"]

_ANCESTRY = """
import json, os, sys
def stat(pid):
    name, _, rest = open(f"/proc/{pid}/stat").read().partition(" (")[2].rpartition(")")
    return name, int(rest.split()[1])
def command(pid):
    return os.path.basename(open(f"/proc/{pid}/cmdline").read().split("\\0")[0])
chain, pid = [], int(sys.argv[1])
while pid:
    name, parent = stat(pid)
    chain.append({"pid": pid, "name": command(pid) or name, "parent": parent})
    pid = parent
names = set()
for word in os.listdir("/proc"):
    try:
        names.add(command(word)) if word.isdigit() else None
    except OSError:
        continue
print(json.dumps({"chain": chain, "engine": sorted(names & {"dockerd", "containerd", "runc", "docker-proxy"})}))
"""


@dataclass(frozen=True, slots=True)
class Link:
    """One process of the chain from the machine's first process to the container's."""

    pid: int
    name: str


@dataclass(frozen=True, slots=True)
class ProcessTree:
    """The line of ancestors of a running container, and which of the engine's programs run beside it."""

    chain: tuple[Link, ...]
    """From the container's own process up to the machine's PID 1."""
    engine: tuple[str, ...]
    """Those of dockerd, containerd, runc and docker-proxy that have a process at this moment."""

    @property
    def runtime_gone(self) -> bool:
        """Whether no runc is among the ancestors: it made the container and left."""
        return all(link.name != "runc" for link in self.chain)

    @property
    def parent(self) -> str:
        """The program that the container's process has as its parent."""
        return self.chain[1].name

    def to_frame(self) -> pd.DataFrame:
        """Return the chain, the machine's first process on top."""
        rows = [(link.pid, link.name) for link in reversed(self.chain)]
        return pd.DataFrame(rows, columns=[_("PID outside"), _("program")])


def process_tree(room: Room, name: str | None = None) -> ProcessTree:
    """Follow a running container's process to its parents; without a name, that of a container made for it.

    Source: `man 5 proc_pid_stat`. Raises CommandFailed when the container does not run.
    """
    if name is None:
        with probes.running(room, "tree") as made:
            return process_tree(room, made)
    found = probes.outside(room, _ANCESTRY, str(probes.pid_outside(room, name)))
    chain = (Link(each["pid"], "init" if each["pid"] == 1 else each["name"]) for each in found["chain"])
    return ProcessTree(tuple(chain), tuple(found["engine"]))
