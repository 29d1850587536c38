"""A packet's journey: one request to a published port, captured wherever it passes.

What is captured is the kernel's own copy of each packet (`man 7 packet`), in two network namespaces at once: the
engine's, on all interfaces, and the container's. A packet is recognised by its TCP sequence number, which address
translation leaves alone; a program in between, such as the user-space proxy, opens a connection of its own.
"""

import http.client
import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.errors import WaitTimedOut
from docker_tutor.i18n import _
from docker_tutor.topics import networks_bridge, networks_interfaces, networks_nat, probes

__all__ = ["Hop", "Journey", "journey"]

_CAPTURE = """
import json, select, socket, struct, sys, time
ports, address = {int(sys.argv[1]), int(sys.argv[2])}, sys.argv[3]
link = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))  # ETH_P_ALL: others see arrivals only
link.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
print(json.dumps({"capturing": True}), flush=True)
end = time.monotonic() + 30
while select.select([link], [], [], max(0, end - time.monotonic()))[0]:
    if time.monotonic() > end:  # what others send all the time never falls silent
        break
    data, extras, _, (interface, protocol, kind, *_) = link.recvmsg(200, 64)
    head = (data[0] & 15) * 4
    if protocol != 0x0800 or data[9] != 6 or len(data) < head + 20:
        continue
    source, target = socket.inet_ntoa(data[12:16]), socket.inet_ntoa(data[16:20])
    sport, dport, number, _ack, flags = struct.unpack_from(">2H2IH", data, head)
    if not ({sport, dport} & ports) or (int(sys.argv[1]) not in (sport, dport) and address not in (source, target)):
        continue
    seconds, nanoseconds = struct.unpack("2q", extras[0][2])
    if flags & 5:  # FIN or RST: whoever is called may be hung up on before it has hung up itself
        end = time.monotonic() + 0.4
    print(json.dumps({
        "ns": seconds * 10**9 + nanoseconds, "interface": interface, "leaving": kind == 4, "number": number,
        "source": source, "sport": sport, "target": target, "dport": dport, "syn": flags & 2, "answer": flags & 16,
        "namespace": sys.argv[4],
    }), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Hop:
    """One packet, seen at one interface."""

    namespace: str
    """`machine` (the engine's network namespace), `container`, or `caller` for the program's own view."""
    interface: str
    leaving: bool
    """Whether it left through the interface; else it came in."""
    source: str
    """Address and port of the sender, as written in the packet at this place."""
    target: str
    number: int
    """TCP sequence number; 0 for the program's own view."""
    after_us: float
    """Time since the request's first capture, by the kernel's clock; 0 for the program's own view."""


@dataclass(frozen=True, slots=True)
class Journey:
    """The first packet of a request and the first of its answer, at every place where they were seen."""

    there: tuple[Hop, ...]
    back: tuple[Hop, ...]
    host_port: int
    """0 when the port was not published."""
    container: str
    """Address and port of the container."""
    veth: str
    """The interface of the engine that the container's cable is plugged into."""
    bridge: str
    status: int
    """HTTP status of the whole request; 0 when nobody could be called."""
    counted: int
    """Packets that the DNAT rule counted meanwhile: the first of each connection, not all of them."""

    @property
    def rewritten(self) -> tuple[int, ...]:
        """Places in `there`, counted from 0, where the same packet's target differs from the place before."""
        pairs = enumerate(zip(self.there, self.there[1:], strict=False), start=1)
        return tuple(place for place, (one, two) in pairs if one.number == two.number and one.target != two.target)

    @property
    def last(self) -> Hop:
        """The last place at which the request was seen."""
        return self.there[-1]

    @property
    def answered_from(self) -> str:
        """Address and port from which the container sent its answer; empty when none was seen."""
        return self.back[0].source if self.back else ""

    @property
    def same_packet(self) -> bool:
        """Whether it was one packet all the way; else a program in between opened a connection of its own."""
        return len({hop.number for hop in self.there if hop.number}) == 1

    @property
    def interfaces(self) -> tuple[str, ...]:
        """The places that the request passed, in order, each once."""
        return tuple(dict.fromkeys(hop.interface for hop in self.there))

    def to_frame(self) -> pd.DataFrame:
        """Return every hop, there and back."""
        rows = [
            {
                _("way"): way,
                _("seen by"): hop.namespace,
                _("interface"): hop.interface,
                _("direction"): _("out") if hop.leaving else _("in"),
                _("from"): hop.source,
                _("to"): hop.target,
                _("after (µs)"): hop.after_us,
            }
            for way, hops in ((_("request"), self.there), (_("answer"), self.back))
            for hop in hops
        ]
        return pd.DataFrame(rows)


_NOBODY = Hop("caller", "", leaving=True, source="", target="", number=0, after_us=0.0)


def journey(room: Room) -> Journey:
    """Publish a web server, request a page of it from this machine, and capture the first packet each way.

    Where published ports do not appear at 127.0.0.1 of this machine (a remote engine), the caller is a container on the
    engine's own network. Raises CommandFailed, WaitTimedOut.
    """
    with networks_bridge.user_bridge(room, name="journey") as (network, _chosen):
        serve = ("python", "-u", "-m", "http.server", "80")
        options = (f"--network={network}", "--publish=80")
        with probes.running(room, "destination", *options, command=serve) as name:
            room.wait.log(room.client.containers.get(name), "Serving", within_s=30)
            details = room.api.inspect_container(name)["NetworkSettings"]
            own = next(iter(details["Networks"].values()))["IPAddress"]
            port = next((int(binding["HostPort"]) for binding in details["Ports"]["80/tcp"] or []), 0)
            inside = networks_interfaces.read_running(room, name)
            machine = networks_interfaces.read_new(room, "--network=host")
            call = _Caller(room, port, machine.address) if port else None
            before = _dnat(room, own)  # after the caller has tried whether the port is there
            view, status, packets = _captured(room, name, own, call) if call else (_NOBODY, 0, [])
            counted = _dnat(room, own) - before
    ends = {interface.index: interface.name for interface in machine.interfaces}
    cable = next((each.peer_index for each in inside.interfaces if each.name == inside.outward), 0)
    bridge = next(
        (each.name for each in machine.interfaces if (each.address or "").startswith(f"{inside.gateway}/")), ""
    )
    first = [packet for packet in packets if packet["syn"]]
    there, back = (
        [_hop(packet, first[0]["ns"]) for packet in first if bool(packet["answer"]) is way] for way in (False, True)
    )
    return Journey((view, *there), tuple(back), port, f"{own}:80", ends.get(cable, ""), bridge, status, counted)


def _captured(room: Room, name: str, own: str, call: "_Caller") -> tuple[Hop, int, list[dict[str, Any]]]:
    places = {"machine": "--network=host", "container": f"--network=container:{name}"}
    with ExitStack() as stack:
        captures = []
        for place, option in places.items():
            command = ("python", "-u", "-c", _CAPTURE, str(call.port), "80", own, place)
            made = stack.enter_context(probes.running(room, f"on-{place}", option, command=command))
            captures.append(room.client.containers.get(made))
        for capture in captures:
            room.wait.log(capture, "capturing", within_s=30)
        view, status = call()
        for capture in captures:
            room.wait.exit(capture, within_s=40)
        seen = [json.loads(line) for capture in captures for line in capture.logs().decode().splitlines()]
    return view, status, sorted((packet for packet in seen if "ns" in packet), key=lambda packet: packet["ns"])


def _dnat(room: Room, address: str) -> int:
    mine = [rule for rule in networks_nat.rules(room) if f"--to-destination {address}:" in rule.text]
    return sum(rule.packets for rule in mine)


def _hop(packet: Mapping[str, Any], start_ns: int) -> Hop:
    source, target = f"{packet['source']}:{packet['sport']}", f"{packet['target']}:{packet['dport']}"
    where = (packet["namespace"], packet["interface"], packet["leaving"])
    return Hop(*where, source, target, packet["number"], (packet["ns"] - start_ns) / 1000)


class _Caller:
    """Calls the published port from this machine if it is there, else from a container on the engine's network."""

    def __init__(self, room: Room, port: int, address: str) -> None:
        self._room, self.port, self._address = room, port, address
        try:
            room.wait.port(port, within_s=3)
            self._here = True
        except WaitTimedOut:
            self._here = False

    def __call__(self) -> tuple[Hop, int]:
        if self._here:
            link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            link.connect()
            own, other = (f"{address}:{port}" for address, port in (link.sock.getsockname(), link.sock.getpeername()))
            link.request("GET", "/")
            answer = link.getresponse()
            answer.read()  # else closing resets the connection, and the answer may not be seen whole
            status = answer.status
            link.close()
        else:
            own, other, status = probes.inside(
                self._room, _REQUEST, "--network=host", arguments=(self._address, str(self.port))
            )
        return Hop("caller", _("program"), leaving=True, source=own, target=other, number=0, after_us=0.0), status


_REQUEST = """
import http.client, json, sys
link = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=10)
link.connect()
ends = ["%s:%d" % end for end in (link.sock.getsockname(), link.sock.getpeername())]
link.request("GET", "/")
answer = link.getresponse()
answer.read()
print(json.dumps([*ends, answer.status]))
"""
