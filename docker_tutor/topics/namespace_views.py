"""What each kind of namespace changes for the process inside: the same thing looked at from both sides."""

from dataclasses import dataclass

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _
from docker_tutor.topics import probes

__all__ = ["Hostnames", "PidOne", "Queue", "Root", "hostname", "ipc", "pid_one", "root"]

_STATUS = """
import json, sys
def status(pid):
    lines = open(f"/proc/{pid}/status").read().splitlines()
    return {key: value.split() for key, _, value in (line.partition(":") for line in lines)}
def uid_map(pid):
    return [[int(number) for number in line.split()] for line in open(f"/proc/{pid}/uid_map")]
print(json.dumps({pid: {"status": status(pid), "uid_map": uid_map(pid)} for pid in sys.argv[1].split(",")}))
"""

_MAKE_QUEUE = """
import ctypes, time
queue = ctypes.CDLL(None).msgget(0x444f434b, 0o1666)
print("made" if queue >= 0 else "failed", flush=True)
time.sleep(3600)
"""

_FIND_QUEUE = """
import json
keys = [int(line.split()[0]) for line in list(open("/proc/sysvipc/msg"))[1:]]
print(json.dumps(0x444f434b in keys))
"""


@dataclass(frozen=True, slots=True)
class PidOne:
    """One process, counted in two PID namespaces."""

    pid_inside: int
    pid_outside: int
    parent_outside: int
    """The shim's number."""
    visible_inside: tuple[int, ...]
    """Every PID that /proc shows inside."""
    visible_outside: int
    """How many processes the engine's PID namespace holds."""

    def to_frame(self) -> pd.DataFrame:
        """Return the two views side by side."""
        rows = [
            (_("PID of the same process"), self.pid_inside, self.pid_outside),
            (_("processes in sight"), len(self.visible_inside), self.visible_outside),
        ]
        return pd.DataFrame(rows, columns=[_("what"), _("inside"), _("outside")])


def pid_one(room: Room) -> PidOne:
    """Find the number that a container's PID 1 has outside, and count what each side can see.

    Source: `man 7 pid_namespaces`, `NSpid` in `man 5 proc_pid_status`.
    """
    listing = "import json, os; print(json.dumps(sorted(int(name) for name in os.listdir('/proc') if name.isdigit())))"
    with probes.running(room, "pid-one") as name:
        pid = probes.pid_outside(room, name)
        status = probes.outside(room, _STATUS, str(pid))[str(pid)]["status"]
        visible = probes.ask(room, name, listing)
        total = probes.outside(room, listing)
    numbers = [int(number) for number in status["NSpid"]]
    return PidOne(numbers[-1], pid, int(status["PPid"][0]), tuple(visible), len(total))


@dataclass(frozen=True, slots=True)
class Hostnames:
    """A hostname changed inside one container, and what the others then call themselves."""

    refused: bool
    """Whether root without CAP_SYS_ADMIN was refused the change."""
    inside: str
    neighbour: str
    """Hostname seen by another container."""
    outside_before: str
    outside_after: str

    def to_frame(self) -> pd.DataFrame:
        """Return who saw which name."""
        rows = [
            (_("inside, after the change"), self.inside),
            (_("another container"), self.neighbour),
            (_("outside, before"), self.outside_before),
            (_("outside, after"), self.outside_after),
        ]
        return pd.DataFrame(rows, columns=[_("where"), _("hostname")])


def hostname(room: Room, name: str = "changed-inside") -> Hostnames:
    """Change the hostname inside a container; read it there, next door and outside. Source: `man 7 uts_namespaces`."""
    reading = "import json, socket; print(json.dumps(socket.gethostname()))"
    changing = ("python", "-c", f"import socket; socket.sethostname({name!r})")
    outside = ("--uts=host", "--network=none")
    before = probes.inside(room, reading, *outside)
    with (
        probes.running(room, "renamed", "--cap-add=SYS_ADMIN") as renamed,
        probes.running(room, "neighbour") as neighbour,
    ):
        without = room.cli("exec", neighbour, *changing, check=False)
        room.cli("exec", renamed, *changing)
        found = [probes.ask(room, each, reading) for each in (renamed, neighbour)]
        after = probes.inside(room, reading, *outside)
    return Hostnames(without.returncode != 0, found[0], found[1], before, after)


@dataclass(frozen=True, slots=True)
class Queue:
    """A System V message queue made in one container, and who can see it."""

    maker: bool
    neighbour: bool
    """A container with an IPC namespace of its own."""
    joined: bool
    """A container started with `--ipc=container:` the maker's."""
    outside: bool

    def to_frame(self) -> pd.DataFrame:
        """Return who sees the queue."""
        rows = [
            (_("the container that made it"), self.maker),
            (_("another container"), self.neighbour),
            (_("another, with --ipc=container:…"), self.joined),
            (_("outside"), self.outside),
        ]
        return pd.DataFrame(rows, columns=[_("where"), _("sees the queue")])


def ipc(room: Room) -> Queue:
    """Make a message queue in one container and look for it from four places. Source: `man 7 ipc_namespaces`."""
    command = ("python", "-c", _MAKE_QUEUE)
    with probes.running(room, "queue", "--ipc=shareable", command=command) as name:
        room.wait.log(room.client.containers.get(name), "made", within_s=30)
        maker = probes.ask(room, name, _FIND_QUEUE)
        neighbour, joined, outside = (
            probes.inside(room, _FIND_QUEUE, *options)
            for options in ((), (f"--ipc=container:{name}",), ("--ipc=host",))
        )
    return Queue(maker, neighbour, joined, outside)


@dataclass(frozen=True, slots=True)
class Root:
    """Who root inside is outside, and what that root may do."""

    uid_inside: int
    uid_outside: int
    uid_map: tuple[tuple[int, int, int], ...]
    """First id inside, first id outside, how many: /proc/PID/uid_map as read outside."""
    capabilities_inside: int
    """Number of capabilities in force in the container (CapEff)."""
    capabilities_outside: int
    """Number that the shim has."""

    @property
    def same(self) -> bool:
        """Whether root inside is root outside."""
        return self.uid_inside == self.uid_outside == 0

    def to_frame(self) -> pd.DataFrame:
        """Return the two sides."""
        rows = [
            (_("user id of the same process"), self.uid_inside, self.uid_outside),
            (_("capabilities in force"), self.capabilities_inside, self.capabilities_outside),
        ]
        return pd.DataFrame(rows, columns=[_("what"), _("inside"), _("outside")])


def root(room: Room) -> Root:
    """Ask who a container's root is outside. Source: `man 7 user_namespaces`, `man 7 capabilities`."""
    with probes.running(room, "root") as name:
        pid = probes.pid_outside(room, name)
        seen = probes.outside(room, _STATUS, str(pid))[str(pid)]
        parent = seen["status"]["PPid"][0]
        shim = probes.outside(room, _STATUS, parent)[parent]
        within = probes.ask(room, name, "import os; print(os.getuid())")
    powers = [int(each["status"]["CapEff"][0], 16).bit_count() for each in (seen, shim)]
    mapping = tuple((one, two, count) for one, two, count in seen["uid_map"])
    return Root(within, int(seen["status"]["Uid"][1]), mapping, *powers)
