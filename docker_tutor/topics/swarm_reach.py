"""Who reaches whom across two machines: the overlay network's rows of the matrix that one machine cannot complete."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import pandas as pd

from docker_tutor.i18n import _
from docker_tutor.topics.swarm import ADDRESSES, IMAGE, NETWORK, Pair, until

__all__ = ["Place", "Reach", "reach"]

PORT = 8471
_DRIVERS = {"overlay": NETWORK, "bridge": "bridge", "host": "host"}
_SERVE = 'mkdir -p /srv && echo "$0" > /srv/index.html && exec httpd -f -p "$1" -h /srv'
_CALL = """
for place in "$@"; do
  (said=$(timeout 3 wget -T 1 -q -O- "http://${place#*=}/" 2>&1); printf '%s=%s\\n' "${place%%=*}" "$(echo $said)") &
done
wait
"""
"""A connection alone proves little: a router on the way may accept it. So the one called has to say its name."""


@dataclass(frozen=True, slots=True)
class Place:
    """One container: its network, and the machine it is on."""

    title: str
    driver: str
    machine: int
    """1 or 2."""
    address: str


@dataclass(frozen=True, slots=True)
class Reach:
    """A container on each network of each machine, and what became of every call from each to each."""

    members: tuple[Place, ...]
    outcomes: Mapping[tuple[str, str], str]
    """(from, to) → `reached`, `refused`, `no answer`, `no route` or `somebody else` (answered)."""

    def reached(self, caller: str, called: str) -> bool:
        """Whether one place's call was answered by the other itself."""
        return self.outcomes[caller, called] == "reached"

    def reach_frame(self) -> pd.DataFrame:
        """Return who can reach whom: a row for each caller, a column for each one called."""
        titles = [member.title for member in self.members]
        rows = [[caller, *(self.outcomes[caller, called] for called in titles)] for caller in titles]
        return pd.DataFrame(rows, columns=[_("from ↓ to →"), *titles])

    def to_frame(self) -> pd.DataFrame:
        """Return the places with their addresses."""
        return pd.DataFrame(
            {
                _("place"): [each.title for each in self.members],
                _("driver"): [each.driver for each in self.members],
                _("machine"): [each.machine for each in self.members],
                _("address"): [each.address for each in self.members],
            }
        )


def reach(pair: Pair) -> Reach:
    """Run a web server on overlay, bridge and host of both machines, and let each call all the others.

    The number in a title is the machine's. Raises CommandFailed.
    """
    pair.join()
    with ExitStack() as stack:
        members = [_start(pair, stack, driver, machine) for driver in _DRIVERS for machine in (1, 2)]
        targets = tuple(f"{each.title}={each.address}:{PORT}" for each in members)
        ends = [each.title for each in members if each.driver == "overlay"]
        until(lambda: _call(pair, members[0], targets)[ends[1]] == ends[1], _("An answer across the cable"))
        with ThreadPoolExecutor(len(members)) as pool:
            answers = list(pool.map(lambda caller: _call(pair, caller, targets), members))
    outcomes = {
        (caller.title, called): _outcome(called, said)
        for caller, found in zip(members, answers, strict=True)
        for called, said in found.items()
    }
    return Reach(tuple(members), outcomes)


def _start(pair: Pair, stack: ExitStack, driver: str, machine: int) -> Place:
    room, title, network = pair.rooms[machine - 1], f"{driver} {machine}", _DRIVERS[driver]
    name = _name(pair, title)
    room.cli("run", "-d", "--name", name, "--network", network, IMAGE, "sh", "-c", _SERVE, title, str(PORT))
    stack.callback(room.cli, "rm", "-f", name)
    if driver == "host":
        return Place(title, driver, machine, ADDRESSES[machine - 1])
    return Place(title, driver, machine, _address(pair, machine, name, network))


def _address(pair: Pair, machine: int, name: str, network: str) -> str:
    found = pair.rooms[machine - 1].api.inspect_container(name)
    return str(found["NetworkSettings"]["Networks"][network]["IPAddress"])


def _name(pair: Pair, title: str) -> str:
    return pair.first.unique("reach-" + title.replace(" ", "-"))


def _call(pair: Pair, caller: Place, targets: tuple[str, ...]) -> dict[str, str]:
    room = pair.rooms[caller.machine - 1]
    said = room.cli("exec", _name(pair, caller.title), "sh", "-c", _CALL, "sh", *targets).stdout
    return dict(line.split("=", 1) for line in said.splitlines())


def _outcome(called: str, said: str) -> str:
    if said == called:
        return "reached"
    if "refused" in said:
        return "refused"
    if "unreachable" in said or "No route" in said:
        return "no route"
    return "no answer" if not said or "timed out" in said or "wget:" in said else "somebody else"
