"""The same containers seen by dockerd and by containerd, what each of them keeps, and the shim asked by itself.

Sources: `ctr` (containerd's own client; dockerd's things are in its namespace `moby`); Engine API; task.proto.
"""

import re
import subprocess
from dataclasses import dataclass

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.errors import CapabilityMissing, CommandFailed
from docker_tutor.i18n import _
from docker_tutor.topics import probes, processes, ttrpc

__all__ = ["BothSides", "both_sides", "shim_answer"]

NAMESPACE = "moby"
TIME_LIMIT_S = 30
_ASK_SHIM = r"""
import json, socket, sys
shim, frame = f"/proc/{sys.argv[1]}", bytes.fromhex(sys.argv[2])
def told():
    # In its folder stands where it listens, as it has told containerd (from 2.0 on as JSON).
    try:
        return json.load(open(f"{shim}/cwd/bootstrap.json"))["address"]
    except OSError:
        return open(f"{shim}/cwd/address").read().strip()
def read(count):
    data = b""
    while len(data) < count:
        more = asked.recv(count - len(data))
        if not more:
            sys.exit("it closed the connection")
        data += more
    return data
with socket.socket(socket.AF_UNIX) as asked:
    asked.settimeout(5)
    # The path is one of the shim's own file system.
    asked.connect(f"{shim}/root{told().removeprefix('unix://')}")
    asked.sendall(frame)
    header = read(10)
    print(json.dumps(read(int.from_bytes(header[:4], "big")).hex()))
"""
"""Runs where the engine's processes are visible."""
COMMAND = re.compile(r"^ +([a-z]+(?:, [a-z]+)*) {2,}", re.MULTILINE)
"""A line of `ctr help`: a command, its short names, and what it does."""


@dataclass(frozen=True, slots=True)
class BothSides:
    """What dockerd and containerd each say there is."""

    docker_containers: frozenset[str]
    """Ids of running containers, by `GET /containers/json`."""
    containerd_tasks: dict[str, int]
    """Ids of running tasks and their PIDs, by `ctr tasks list`."""
    docker_images: int
    containerd_images: int
    networks: tuple[str, ...]
    """By dockerd; containerd has no such thing."""
    volumes: int
    containerd_commands: frozenset[str]
    """What `ctr` can be asked about."""
    image_store: str

    @property
    def same_containers(self) -> bool:
        """Whether each running container of dockerd's is a task of containerd's."""
        return self.docker_containers <= self.containerd_tasks.keys()

    def to_frame(self) -> pd.DataFrame:
        """Return one line per kind of object."""
        nothing = _("no such thing")
        rows = [
            (_("running containers"), len(self.docker_containers), str(len(self.containerd_tasks))),
            (_("images"), self.docker_images, str(self.containerd_images)),
            (_("networks"), len(self.networks), nothing),
            (_("volumes"), self.volumes, nothing),
        ]
        return pd.DataFrame(rows, columns=["what", "dockerd", "containerd (moby)"])


def both_sides(room: Room) -> BothSides:
    """Ask dockerd and containerd what they have. Raises CapabilityMissing where containerd cannot be asked."""
    # containerd first: a container that is started meanwhile is then not missed.
    listed = [line.split() for line in _ctr(room, "tasks", "list").splitlines()[1:]]
    images = _ctr(room, "images", "list", "--quiet").split()
    docker = frozenset(str(container["Id"]) for container in room.api.containers())
    listed += [line.split() for line in _ctr(room, "tasks", "list").splitlines()[1:]]
    return BothSides(
        docker_containers=docker,
        containerd_tasks={words[0]: int(words[1]) for words in listed if words[2] == "RUNNING"},
        docker_images=sum(len(image["RepoTags"] or []) for image in room.api.images()),
        containerd_images=len(images),
        networks=tuple(network["Name"] for network in room.api.networks()),
        volumes=len(room.api.volumes()["Volumes"] or []),
        containerd_commands=frozenset(_commands(_ctr(room, "help"))),
        image_store=room.capabilities.image_store,
    )


def shim_answer(room: Room, container: str) -> ttrpc.Connected:
    """Ask a running container's shim by ttrpc who it is, past containerd. Raises CommandFailed."""
    shim = processes.chain(room, container).role("shim").pid
    container_id = str(room.api.inspect_container(container)["Id"])

    def exchange(frame: bytes) -> bytes:
        return bytes.fromhex(probes.outside(room, _ASK_SHIM, str(shim), frame.hex()))

    return ttrpc.connect(exchange, container_id)


def _ctr(room: Room, *words: str) -> str:
    ctr, address = room.engine.tools.programs.get("ctr"), room.engine.tools.containerd
    if ctr is None or address is None:
        raise CapabilityMissing(
            _("This asks containerd itself, which needs its `ctr` and its socket on this machine, and root.")
        )
    command = [str(ctr), "--address", address, "--namespace", NAMESPACE, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIME_LIMIT_S)
    if done.returncode:
        raise CommandFailed(_("`ctr {words}` failed: {why}").format(words=" ".join(words), why=done.stderr.strip()))
    return done.stdout


def _commands(text: str) -> list[str]:
    listed = text.partition("COMMANDS:")[2].partition("GLOBAL OPTIONS")[0]
    return [name for line in COMMAND.findall(listed) for name in line.split(", ")]
