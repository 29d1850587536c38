"""Two machines in a swarm: two real engines, each in a network namespace of its own, and a cable between them.

::

    with swarm.pair(room) as pair:
        pair.join()                      # or typed: `docker -H $1 swarm init …`, `docker -H $2 swarm join …`
        tunnel.capture(pair, …)

Sources: `man 4 veth`; Docker's "Networking with overlay networks" and the reference of `docker swarm init`.
"""

import re
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Event
from types import TracebackType
from typing import Any, Self, TypeVar

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.classroom.spare import SpareRoom
from docker_tutor.errors import CapabilityMissing, CommandFailed, WaitTimedOut
from docker_tutor.i18n import _
from docker_tutor.progress import Report, silent

__all__ = ["ADDRESSES", "IMAGE", "NETWORK", "SUBNET", "WIRE", "Collision", "Pair", "attempt", "pair", "until"]

IMAGE = "alpine"
ADDRESSES = ("192.168.254.1", "192.168.254.2")
"""Of the two machines on the cable between them, which nobody else can see."""
WIRE = "wire0"
"""What the cable's plug is called on either machine."""
NETWORK = "our-overlay"
SUBNET = "10.0.9.0/24"
"""Free in a new swarm, unlike 10.0.0.0/24, which the swarm's own network `ingress` has."""
HEARTBEAT = "1s"
"""A worker that is not heard of for about three of these counts as down; Docker's own value is 5 s."""

_POLL_S = 0.1
_ERROR = re.compile(r'.* error="(.*?)".*')
"""What a line of the daemon's log says went wrong."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two rooms on two engines. Closed with the room that asked for it, at the latest."""

    first: SpareRoom
    second: SpareRoom

    @property
    def rooms(self) -> tuple[SpareRoom, SpareRoom]:
        """Both, the manager first."""
        return self.first, self.second

    @property
    def hosts(self) -> str:
        """The addresses of both engines, for `%%bash -s {pair.hosts}`: then `docker -H $1 …` and `docker -H $2 …`."""
        return f"{self.first.address} {self.second.address}"

    def close(self) -> None:
        """Take both engines down. May be called again."""
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(SpareRoom.close, self.rooms))

    def __enter__(self) -> Self:
        """Return the pair itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take both engines down."""
        self.close()

    def join(self) -> None:
        """Make the two a swarm with an attachable overlay network, as far as they are not. Raises CommandFailed."""
        if _state(self.first) == "inactive":
            words = ("--advertise-addr", ADDRESSES[0], "--dispatcher-heartbeat", HEARTBEAT)
            self.first.cli("swarm", "init", *words)
        if _state(self.second) == "inactive":
            token = self.first.cli("swarm", "join-token", "--quiet", "worker").stdout.strip()
            where = ("--advertise-addr", ADDRESSES[1], f"{ADDRESSES[0]}:2377")
            self.second.cli("swarm", "join", "--token", token, *where)
        if not self.first.client.networks.list(names=[NETWORK]):
            overlay = ("--driver", "overlay", "--attachable", "--subnet", SUBNET, NETWORK)
            self.first.cli("network", "create", *overlay)

    def nodes(self) -> pd.DataFrame:
        """Return what the manager knows of the nodes once there are two, itself first. Raises WaitTimedOut."""

        def both() -> list[dict[str, Any]]:
            listed = sorted(self.first.api.nodes(), key=lambda node: str(node["Spec"]["Role"]))
            return listed if [node["Status"]["State"] for node in listed] == ["ready", "ready"] else []

        found = until(both, _("A second machine that is ready"))
        return pd.DataFrame(
            {
                _("role"): [node["Spec"]["Role"] for node in found],
                _("state"): [node["Status"]["State"] for node in found],
                _("address"): [node["Status"]["Addr"] for node in found],
            }
        )

    def node_ids(self) -> tuple[str, str]:
        """Return the ids of both machines in the swarm, the manager's first."""
        first, second = (str(room.api.info()["Swarm"]["NodeID"]) for room in self.rooms)
        return first, second


def pair(room: Room, report: Report = silent) -> Pair:
    """Start two engines and plug a cable in between. They are no swarm yet.

    Raises CapabilityMissing where no second engine can be had, or the kernel makes no cables.
    """
    undo = ExitStack()
    try:
        with ThreadPoolExecutor(2) as pool:
            started = [pool.submit(room.spare, name, images=[IMAGE], report=report) for name in ("m1", "m2")]
            rooms = []
            for future in started:
                other = future.result()
                undo.callback(other.close)
                rooms.append(other)
        made = Pair(rooms[0], rooms[1])
        _plug(made)
    except BaseException:  # Ctrl-C too: no engine is left behind
        undo.close()
        raise
    return made


@dataclass(frozen=True, slots=True)
class Collision:
    """What became of a container on a network whose range another network of the swarm has."""

    subnet: str
    """The range that the network has; empty when it never got one, whatever was asked for."""
    ingress: str
    """The range of the swarm's own network `ingress`."""
    exit_code: int
    seconds: float
    """How long `docker run` took to give up."""
    message: str
    """What it said."""
    log: str
    """What the manager's log says; empty when it does not speak of an overlap."""

    def to_frame(self) -> pd.DataFrame:
        """Return it as two columns."""
        words = [_("its range"), _("range of ingress"), _("exit code"), _("seconds"), _("said"), _("log")]
        found = [self.subnet or _("none"), self.ingress, self.exit_code, round(self.seconds, 1), self.message, self.log]
        return pd.DataFrame({_("what"): words, _("found"): [str(each) for each in found]})


def attempt(made: Pair, network: str) -> "Future[Collision]":
    """Run a container on `network` of the manager, in the background: what fails here takes some 20 s to fail."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(_attempt, made, network)
    pool.shutdown(wait=False)
    return future


def _attempt(made: Pair, network: str) -> Collision:
    began = time.monotonic()
    done = made.first.cli("run", "--rm", "--network", network, IMAGE, "true", check=False, timeout_s=90)
    seconds = time.monotonic() - began
    lines = made.first.engine.layout.log("dockerd").read_text(encoding="utf-8", errors="replace").splitlines()
    log = next((_ERROR.sub(r"\1", line) for line in reversed(lines) if "overlaps" in line), "")
    subnet, ingress = (_range(made, name) for name in (network, "ingress"))
    return Collision(subnet, ingress, done.returncode, seconds, done.stderr.strip(), log)


def _range(made: Pair, network: str) -> str:
    configs = made.first.api.inspect_network(network)["IPAM"]["Config"] or []
    return str(configs[0]["Subnet"]) if configs else ""


def _plug(made: Pair) -> None:
    # The cable is made inside the first namespace with its other end in the second: this machine never sees it.
    other = str(made.second.engine.layout.network_namespace)
    _ip(made.first, "link", "add", WIRE, "type", "veth", "peer", "name", WIRE, "netns", other)
    for room, address in zip(made.rooms, ADDRESSES, strict=True):
        _ip(room, "address", "add", f"{address}/24", "dev", WIRE)
        _ip(room, "link", "set", WIRE, "up")


def _ip(room: SpareRoom, *words: str) -> None:
    tools = room.engine.tools
    command = [*(tools.enter or ()), str(tools.programs.get("ip", "ip")), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        message = _("This kernel does not join two engines by a cable: {said}")
        raise CapabilityMissing(message.format(said=done.stderr.strip()))


def _state(room: SpareRoom) -> str:
    return str(room.api.info()["Swarm"]["LocalNodeState"])


def until(found: Callable[[], T], what: str, *, within_s: float = 30) -> T:
    """Call `found` until it returns something true, and return that. Raises WaitTimedOut, saying `what` was awaited.

    For what a swarm announces on no stream of events: that a name has become known on the other machine, that a
    node counts as down, that a task has moved.
    """
    deadline, never = time.monotonic() + within_s, Event()
    while True:
        try:
            if answer := found():
                return answer
        except CommandFailed as failed:
            if time.monotonic() >= deadline:
                raise WaitTimedOut(f"{what}: {failed}") from failed
        if time.monotonic() >= deadline:
            message = _("{what} did not come about within {seconds:g} s.")
            raise WaitTimedOut(message.format(what=what, seconds=within_s))
        never.wait(_POLL_S)  # polling: see above
