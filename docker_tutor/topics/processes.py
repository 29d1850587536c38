"""The processes behind a running container: dockerd, containerd, the shim, and the container's own.

Source: `man 5 proc`; containerd's documentation of the runtime v2 shim, whose working directory is the bundle.
"""

import json
from dataclasses import dataclass
from textwrap import shorten
from typing import Any

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.errors import CommandFailed
from docker_tutor.i18n import _
from docker_tutor.topics import probes

__all__ = ["Chain", "Process", "chain", "config_frame", "runtime_config"]

WIDEST = 90
"""Characters of a table's cell."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process as /proc shows it."""

    role: str
    """`dockerd`, `containerd`, `shim` or `container`."""
    pid: int
    parent_pid: int
    command: str


@dataclass(frozen=True, slots=True)
class Chain:
    """What stands behind one running container, from the daemon down to the program."""

    processes: tuple[Process, ...]
    runc_pids: tuple[int, ...]
    """Every runc that is at work on this container: none, once it runs."""

    def role(self, role: str) -> Process:
        """Return the first process in that role."""
        return next(process for process in self.processes if process.role == role)

    def to_frame(self) -> pd.DataFrame:
        """Return one line per process; long commands are cut."""
        return pd.DataFrame(
            [(p.role, p.pid, p.parent_pid, p.command[:72]) for p in self.processes],
            columns=["role", "PID", "parent's PID", "command"],
        )


# Runs where the engine's processes are visible; written for the standard library alone.
SEE = r"""
import json, os, socket, struct, sys
pid, table = int(sys.argv[1]), {}
for name in filter(str.isdigit, os.listdir("/proc")):
    try:
        stat = open(f"/proc/{name}/stat").read()
        words = open(f"/proc/{name}/cmdline").read().split("\0")[:-1]
    except OSError:
        continue  # it ended while we looked
    comm, rest = stat[stat.index("(") + 1 : stat.rindex(")")], stat[stat.rindex(")") + 2 :].split()
    table[int(name)] = (comm, int(rest[1]), words)
def row(role, p):
    return [role, p, table[p][1], " ".join(table[p][2])]
shim = table[pid][1]
address = table[shim][2][table[shim][2].index("-address") + 1]
below = [p for p, (c, parent, w) in table.items() if parent == pid]
chain = [row("shim", shim), row("container", pid), *(row("container", p) for p in sorted(below))]
def listener(path, name):
    # The kernel names whoever began to listen (SO_PEERCRED); where the socket is out of reach, a name has to do.
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(path)
            peer = struct.unpack("3i", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
    except OSError:
        peer = None
    if peer in table and table[peer][0] == name:
        return peer
    named = [p for p, (c, parent, w) in sorted(table.items()) if c == name]
    return named[0] if len(named) == 1 else None
for path, name in ((address, "containerd"), (sys.argv[2], "dockerd")):
    if found := listener(path, name):
        chain.insert(0, row(name, found))
ours = table[shim][2][table[shim][2].index("-id") + 1]
runc = [p for p, (c, parent, w) in table.items() if c.startswith("runc") and (parent == shim or ours in w)]
print(json.dumps([chain, runc]))
"""

READ_CONFIG = r"""
import sys
pid = sys.argv[1]
stat = open(f"/proc/{pid}/stat").read()
shim = stat[stat.rindex(")") + 2 :].split()[1]
print(open(f"/proc/{shim}/cwd/config.json").read())
"""


def chain(room: Room, container: str) -> Chain:
    """Find the processes behind a running container. Raises CommandFailed when it does not run."""
    socket = room.engine.address.removeprefix("unix://")
    found, runc = probes.outside(room, SEE, str(probes.pid_outside(room, container)), socket)
    return Chain(tuple(Process(*row) for row in found), tuple(runc))


def runtime_config(room: Room, container: str) -> dict[str, Any]:
    """Read the OCI runtime config of a running container: the `config.json` that runc was given.

    Raises CommandFailed when the container does not run or its bundle cannot be read from here.
    """
    config = probes.outside(room, READ_CONFIG, str(probes.pid_outside(room, container)))
    if not isinstance(config, dict) or "ociVersion" not in config:
        message = _("What stands in the shim's folder is no runtime config: {start}")
        raise CommandFailed(message.format(start=json.dumps(config)[:60]))
    return config


def config_frame(config: dict[str, Any]) -> pd.DataFrame:
    """Return what a reader looks for in a runtime config: what runs where, with which limits, in which namespaces."""
    process, linux = config["process"], config["linux"]
    resources = linux["resources"]
    cpu = resources.get("cpu", {})
    facts = {
        "process.args": " ".join(process["args"]),
        "process.env": ", ".join(process["env"]),
        "process.capabilities.bounding": _("{count} of them").format(count=len(process["capabilities"]["bounding"])),
        "root.path": "…" + config["root"]["path"][-40:],
        "mounts": ", ".join(mount["destination"] for mount in config["mounts"]),
        "linux.namespaces": ", ".join(namespace["type"] for namespace in linux["namespaces"]),
        "linux.cgroupsPath": linux["cgroupsPath"][:40] + "…",
        "linux.resources.memory.limit": resources.get("memory", {}).get("limit"),
        "linux.resources.cpu": f"quota {cpu.get('quota')}, period {cpu.get('period')}",
        "linux.resources.pids.limit": resources.get("pids", {}).get("limit"),
        "linux.seccomp.syscalls": _("{count} rules").format(count=len(linux.get("seccomp", {}).get("syscalls", []))),
    }
    shown = [shorten(str(value), WIDEST, placeholder=" …") for value in facts.values()]
    return pd.DataFrame({"key": list(facts), "value": shown})
