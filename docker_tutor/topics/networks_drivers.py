"""One running container for each network driver: what it finds around itself, and who can reach whom."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _
from docker_tutor.topics import networks_bridge, networks_interfaces, probes

__all__ = ["MACVLAN_RANGE", "Drivers", "Member", "drivers"]

MACVLAN_RANGE = "192.168.240.0/24"
"""Wanted for the macvlan network of `drivers`; another one is taken where it is in use."""

PATIENCE_S = 1
"""How long a call waits for its answer, on an engine of the usual speed."""

_SERVE = """
import socket, sys
server = socket.create_server(("", int(sys.argv[1])))
print("serving on", server.getsockname()[1], flush=True)
while True:
    link = server.accept()[0]
    link.sendall(sys.argv[2].encode())
    link.close()
"""

_CONNECT = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
patience_s = float(sys.argv[1])
def connect(target):
    address, port, title = target.split(":")
    try:
        with socket.create_connection((address, int(port)), timeout=patience_s) as link:
            link.settimeout(patience_s)
            said = link.recv(100).decode(errors="replace")
            return "reached" if said == title else "somebody else"
    except TimeoutError:
        return "no answer"
    except ConnectionRefusedError:
        return "refused"
    except OSError as error:
        return "no route" if error.errno in (101, 113) else "no answer"
with ThreadPoolExecutor(32) as pool:
    print(json.dumps(list(pool.map(connect, sys.argv[2:]))))
"""
"""A connection alone proves little: a router on the way may accept it. So the one called has to say its name."""


@dataclass(frozen=True, slots=True)
class Member:
    """One container and the network it stands in."""

    title: str
    driver: str
    stack: networks_interfaces.Stack
    address: str
    """The address under which the others call it; empty when it has none."""
    port: int


@dataclass(frozen=True, slots=True)
class Drivers:
    """A container on each driver, and what became of every call from each to each."""

    members: tuple[Member, ...]
    outcomes: Mapping[tuple[str, str], str]
    """(from, to) → `reached`, `refused`, `no answer` (1 s, see `PATIENCE_S`), `somebody else` (answered), `no route` or
    `no address`."""
    macvlan: str
    """What the macvlan network hangs on, or why this engine makes none; then its members are missing."""

    def reached(self, caller: str, called: str) -> bool:
        """Whether a TCP connection from one member to another came about; False where one could not be made."""
        return self.outcomes.get((caller, called)) == "reached"

    def find(self, title: str) -> Member:
        """Return the member with that title. Raises KeyError."""
        return {member.title: member for member in self.members}[title]

    def to_frame(self) -> pd.DataFrame:
        """Return what each container has: interfaces, address, gateway."""
        rows = [
            {
                _("container"): each.title,
                _("driver"): each.driver,
                _("interfaces"): ", ".join(each.stack.names),
                _("address"): each.address or _("none"),
                _("gateway"): each.stack.gateway or _("none"),
                _("routes"): len(each.stack.routes),
            }
            for each in self.members
        ]
        return pd.DataFrame(rows)

    def reach_frame(self) -> pd.DataFrame:
        """Return who can reach whom: a row for each caller, a column for each one called."""
        titles = [member.title for member in self.members]
        rows = [[caller, *(self.outcomes[caller, called] for called in titles)] for caller in titles]
        return pd.DataFrame(rows, columns=[_("from ↓ to →"), *titles])


def drivers(room: Room) -> Drivers:
    """Run a web server on each driver that one machine can show, and let each call all the others.

    Two containers are on the default bridge, two on a user bridge, two on macvlan, one on host, one on none; overlay
    needs a second machine and comes with 7.4. A macvlan network hangs on the machine's own interface only where the
    engine is disposable: elsewhere its addresses could be somebody else's, and Docker gives it an interface of its own.
    Where neither can be had, the two are missing. Raises CommandFailed.
    """
    with ExitStack() as stack:
        user, _chosen = stack.enter_context(networks_bridge.user_bridge(room, name="reach-bridge"))
        macvlan, about = stack.enter_context(_macvlan(room))
        places = {
            "default bridge 1": ("bridge", "bridge"),
            "default bridge 2": ("bridge", "bridge"),
            "user bridge 1": ("bridge", user),
            "user bridge 2": ("bridge", user),
            "host": ("host", "host"),
            "macvlan 1": ("macvlan", macvlan),
            "macvlan 2": ("macvlan", macvlan),
            "none": ("none", "none"),
        }
        places = {title: place for title, place in places.items() if place[1]}
        names = {}
        for title, (_driver, network) in places.items():
            serve = ("python", "-c", _SERVE, "0" if network == "host" else "8000", title)
            options = (f"--network={network}",)
            names[title] = stack.enter_context(probes.running(room, title.replace(" ", "-"), *options, command=serve))
        members = [_member(room, title, driver, names[title]) for title, (driver, _network) in places.items()]
        called = [each for each in members if each.address]
        patience_s = str(PATIENCE_S * room.engine.slowness)
        targets = [f"{each.address}:{each.port}:{each.title}" for each in called]
        outcomes = {(caller.title, each.title): "no address" for caller in members for each in members}
        with ThreadPoolExecutor(len(members)) as pool:
            found = pool.map(
                lambda caller: probes.ask(room, names[caller.title], _CONNECT, patience_s, *targets), members
            )
            for caller, answers in zip(members, found, strict=True):
                pairs = zip(called, answers, strict=True)
                outcomes.update({(caller.title, each.title): outcome for each, outcome in pairs})
    return Drivers(tuple(members), outcomes, about)


def _member(room: Room, title: str, driver: str, name: str) -> Member:
    line = room.wait.log(room.client.containers.get(name), "serving on", within_s=30)
    found = networks_interfaces.read_running(room, name)
    return Member(title, driver, found, found.address, int(line.rpartition(" ")[2]))


@contextmanager
def _macvlan(room: Room) -> Iterator[tuple[str, str]]:
    name, about = room.unique("reach-macvlan"), _("an interface of its own")
    options: tuple[str, ...] = ("--subnet", networks_bridge.free_range(room, MACVLAN_RANGE, name=name).subnet)
    outward = networks_interfaces.read_new(room, "--network=host").outward
    if room.capabilities.disposable and outward:
        options, about = (*options, f"--opt=parent={outward}"), outward
    made = room.cli("network", "create", "--driver", "macvlan", *options, name, check=False)
    if made.returncode:  # the kernel lacks macvlan, or the interface that Docker would make for it
        yield "", made.stderr.strip()
        return
    try:
        yield name, about
    finally:
        room.cli("network", "rm", name)
