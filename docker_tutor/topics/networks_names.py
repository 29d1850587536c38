"""Names on bridge networks: who answers them, and on which network nobody does."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from docker_tutor.classroom.lacking import Lacking
from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _
from docker_tutor.topics import networks_bridge, probes

__all__ = ["DNS", "RESOLVE", "Answer", "Lookup", "Names", "ask_dns", "names"]

RESOLVE = """
import json, os, socket, sys
from concurrent.futures import ThreadPoolExecutor
os.environ["RES_OPTIONS"] = "timeout:1 attempts:1"
def look_up(name):
    try:
        return sorted({found[4][0] for found in socket.getaddrinfo(name, 80, socket.AF_INET, socket.SOCK_STREAM)})
    except OSError:
        return []
servers = [line.split()[1] for line in open("/etc/resolv.conf") if line.startswith("nameserver")]
with ThreadPoolExecutor() as pool:
    found = dict(zip(sys.argv[1:], pool.map(look_up, sys.argv[1:])))
print(json.dumps({"servers": servers, "found": found}))
"""
"""Looks names up as every program does, through the C library."""

DNS = """
import json, socket, struct, sys, time
server = [line.split()[1] for line in open("/etc/resolv.conf") if line.startswith("nameserver")][0]
def question(number, name, kind):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + labels + b"\\0" + struct.pack(">2H", kind, 1)
def name_at(reply, place):
    labels = []
    while reply[place]:
        if reply[place] >= 0xC0:
            place = struct.unpack_from(">H", reply, place)[0] & 0x3FFF
            continue
        labels.append(reply[place + 1:place + 1 + reply[place]].decode())
        place += 1 + reply[place]
    return ".".join(labels)
def skip(reply, place):
    while reply[place]:
        if reply[place] >= 0xC0:
            return place + 2
        place += 1 + reply[place]
    return place + 1
def ask(number, name, kind):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(2)
        start = time.perf_counter()
        try:
            link.sendto(question(number, name, kind), (server, 53))
            reply = link.recv(4096)
        except OSError:
            return {"code": None, "answers": [], "ttl": None, "seconds": time.perf_counter() - start}
        seconds = time.perf_counter() - start
    place, answers, ttl = skip(reply, 12) + 4, [], None
    for _ in range(struct.unpack_from(">H", reply, 6)[0]):
        place = skip(reply, place)
        found, _, ttl, length = struct.unpack_from(">2HIH", reply, place)
        place += 10
        if found == 1:
            answers.append(socket.inet_ntoa(reply[place:place + 4]))
        elif found == 12:
            answers.append(name_at(reply, place))
        place += length
    return {"code": reply[3] & 15, "answers": answers, "ttl": ttl, "seconds": seconds}
times, kind, name = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
print(json.dumps({"server": server, "replies": [ask(number, name, kind) for number in range(times)]}))
"""
"""Asks the name server of /etc/resolv.conf itself, so that its answers can be read one by one (RFC 1035)."""

SILENCE = _("no answer")
CODES = {0: "NOERROR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply of a name server."""

    server: str
    name: str
    code: str
    """The reply's code in words (RFC 1035 §4.1.1): NOERROR, NXDOMAIN …; `no answer` when none came in 2 s."""
    answers: tuple[str, ...]
    """In the order in which they stand in the reply."""
    ttl_s: int | None
    seconds: float


def ask_dns(room: Room, container: str, name: str, *, times: int = 1, reverse: bool = False) -> tuple[Answer, ...]:
    """Ask the name server that a running container uses for a name; with `reverse`, for the name of an address."""
    asked = ".".join([*reversed(name.split(".")), "in-addr", "arpa"]) if reverse else name
    found = probes.ask(room, container, DNS, str(times), "12" if reverse else "1", asked)
    return tuple(_answer(found["server"], name, reply) for reply in found["replies"])


def _answer(server: str, name: str, reply: dict[str, Any]) -> Answer:
    code = SILENCE if reply["code"] is None else CODES.get(reply["code"], str(reply["code"]))
    return Answer(server, name, code, tuple(reply["answers"]), reply["ttl"], reply["seconds"])


@dataclass(frozen=True, slots=True)
class Lookup:
    """One name, looked up on one network."""

    kind: str
    """What sort of name it is."""
    name: str
    user_bridge: tuple[str, ...]
    """Addresses found by a container on the user bridge."""
    default_bridge: tuple[str, ...]
    """Addresses found by a container on the default bridge, for the neighbour on that bridge."""


@dataclass(frozen=True, slots=True)
class Names:
    """The same questions on a user-defined bridge and on the default one."""

    subnet_asked: str
    """The range that the user bridge was asked to have."""
    subnet_found: str
    """The range that it has."""
    address: str
    """The address that the container looked for has on the user bridge."""
    lookups: tuple[Lookup, ...]
    server_user: str
    """Name server in /etc/resolv.conf of the container on the user bridge."""
    server_default: str
    answers: tuple[Answer, ...]
    """What the user bridge's name server said itself: to the name, to its reverse, to a name that nobody has."""

    @property
    def nobody(self) -> str | Lacking:
        """The code for a name that nobody has: another name server has to say so, and where none answers it lacks."""
        asked = self.answers[1]
        if asked.code in {"SERVFAIL", SILENCE}:
            return Lacking(
                _("Nobody knows whether {name} exists: no name server answers here.").format(name=asked.name)
            )
        return asked.code

    def find(self, kind: str) -> Lookup:
        """Return the lookup of that kind: `name`, `short id` or `hostname`. Raises KeyError."""
        return {lookup.kind: lookup for lookup in self.lookups}[kind]

    def to_frame(self) -> pd.DataFrame:
        """Return what was looked up, and what each network answered."""
        nothing = _("not found")
        rows = [
            (each.kind, each.name, ", ".join(each.user_bridge) or nothing, ", ".join(each.default_bridge) or nothing)
            for each in self.lookups
        ]
        return pd.DataFrame(rows, columns=[_("looked up"), _("as"), _("user bridge"), _("default bridge")])

    def answers_frame(self) -> pd.DataFrame:
        """Return the name server's own replies."""
        rows = [
            (each.server, each.name, each.code, ", ".join(each.answers), each.ttl_s, each.seconds * 1e6)
            for each in self.answers
        ]
        columns = [_("server"), _("asked for"), _("code"), _("answers"), _("time to live (s)"), _("took (µs)")]
        return pd.DataFrame(rows, columns=columns)


def names(room: Room) -> Names:
    """Put two containers on a user bridge and two on the default one, and let one of each look for the other.

    Source: Docker's "Networking overview", embedded DNS server. Raises CommandFailed.
    """
    with networks_bridge.user_bridge(room) as (network, chosen):
        on_user = f"--network={network}"
        with (
            probes.running(room, "web", on_user, "--hostname=web-host") as web,
            probes.running(room, "app", on_user) as app,
            probes.running(room, "default-web", "--hostname=web-host") as default_web,
            probes.running(room, "default-app") as default_app,
        ):
            asked = _kinds(room, web)
            other = _kinds(room, default_web)
            user = probes.ask(room, app, RESOLVE, *asked.values())
            default = probes.ask(room, default_app, RESOLVE, *other.values())
            attached = room.api.inspect_container(web)["NetworkSettings"]["Networks"]
            address = attached.get(network, {}).get("IPAddress", "")
            found = room.api.inspect_network(network)["IPAM"]["Config"][0]["Subnet"]
            answers = ask_dns(room, app, web) + ask_dns(room, app, "nobody-has-this-name")
            answers += ask_dns(room, app, address, reverse=True) if address else ()
    lookups = tuple(
        Lookup(kind, name, tuple(user["found"][name]), tuple(default["found"][other[kind]]))
        for kind, name in asked.items()
    )
    servers = [(each["servers"] or [_("none")])[0] for each in (user, default)]
    return Names(chosen.subnet, found, address, lookups, servers[0], servers[1], answers)


def _kinds(room: Room, name: str) -> dict[str, str]:
    details = room.api.inspect_container(name)
    return {"name": name, "short id": details["Id"][:12], "hostname": details["Config"]["Hostname"]}
