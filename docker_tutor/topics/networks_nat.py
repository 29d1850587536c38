"""Publishing a port: the rules that the engine writes into the kernel for it, and which calls they count."""

import re
from dataclasses import dataclass

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _
from docker_tutor.topics import networks_bridge, networks_interfaces, probes

__all__ = ["TOOLS", "Publishing", "Rule", "publish", "rules"]

TOOLS = "docker-tutor/nettools"
"""The course's image with iptables, tcpdump and iperf3 in it."""

SAVE = """
save=iptables-save
$save -t nat 2>/dev/null | grep -q DOCKER || save=iptables-legacy-save
for table in nat filter; do $save -c -t $table 2>/dev/null; done
"""
"""An engine uses the kind of tables that its iptables is linked to; asking for the other makes the kernel load it."""

_LINE = re.compile(r"\[(?P<packets>\d+):(?P<bytes>\d+)\] -A (?P<chain>\S+) (?P<text>.*)")

_CALL = """
import json, sys, urllib.error, urllib.request
def call(address):
    try:
        return urllib.request.urlopen(f"http://{address}/", timeout=3).status
    except urllib.error.HTTPError as answered:
        return answered.code
    except OSError:
        return None
print(json.dumps([call(address) for address in sys.argv[1:]]))
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the kernel's packet filter, with its counters."""

    table: str
    chain: str
    text: str
    """As iptables-save writes it, without the chain."""
    packets: int
    bytes: int

    @property
    def meaning(self) -> str:
        """What the rule does, in words; empty for rules that this course does not explain."""
        for pattern, words in _meanings():
            if re.search(pattern, f"-A {self.chain} {self.text}"):
                return words
        return ""


def _meanings() -> tuple[tuple[str, str], ...]:
    return (
        (r"-A (PREROUTING|OUTPUT) .*-j DOCKER$", _("a packet for this machine is looked up among the published ports")),
        (r"-A POSTROUTING -s (\S+)/32 -d \1/32 .*MASQUERADE", _("a container that calls its own published port")),
        (r"-A POSTROUTING .*MASQUERADE", _("what leaves the bridge gets the machine's address as its sender")),
        (r"-A DOCKER .*-j RETURN", _("what comes from that bridge itself is not translated")),
        (r"-A DOCKER .*DNAT", _("the machine's port becomes the container's address and port")),
        (r"-A DOCKER .*-j ACCEPT", _("and such a packet may pass to the bridge")),
    )


def rules(room: Room) -> tuple[Rule, ...]:
    """Read the engine's NAT and filter rules with their counters, in a container that stands in its network.

    Source: `man 8 iptables-save`. Raises CommandFailed.
    """
    options = ("--rm", "--network=host", "--cap-add=NET_ADMIN")
    found, table = [], ""
    for line in room.cli("run", *options, TOOLS, "sh", "-c", SAVE).stdout.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif match := _LINE.match(line):
            found.append(Rule(table, match["chain"], match["text"], int(match["packets"]), int(match["bytes"])))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Publishing:
    """A published port, its rules, and two calls to it."""

    host_port: int | None
    """None when the port was not published."""
    container_address: str
    container_port: int
    machine_address: str
    by_address: int | None
    """HTTP status of a call to the machine's own address; None when nobody answered."""
    by_localhost: int | None
    """HTTP status of a call to 127.0.0.1 from the machine itself."""
    before: tuple[Rule, ...]
    """The rules about this container, or that lead to them."""
    after_address: tuple[Rule, ...]
    """The same after the call to the machine's address."""
    after_localhost: tuple[Rule, ...]
    """The same after the call to 127.0.0.1."""

    @property
    def target(self) -> str:
        """Where packets for the published port are sent: address and port of the DNAT rule; empty without one."""
        rule = next((rule for rule in self.before if "-j DNAT" in rule.text), None)
        return rule.text.rpartition("--to-destination ")[2] if rule else ""

    def counted(self, way: str) -> int:
        """Return how many packets the DNAT rule counted in the call by `address` or by `localhost`."""
        numbers = [
            sum(rule.packets for rule in moment if "-j DNAT" in rule.text)
            for moment in (self.before, self.after_address, self.after_localhost)
        ]
        return numbers[1] - numbers[0] if way == "address" else numbers[2] - numbers[1]

    def to_frame(self) -> pd.DataFrame:
        """Return the rules, in the order in which a packet meets them, with the packets that each call counted."""
        rows = []
        for before, address, localhost in zip(self.before, self.after_address, self.after_localhost, strict=False):
            row = {
                _("table"): before.table,
                _("chain"): before.chain,
                _("rule"): before.text,
                _("packets, call by address"): address.packets - before.packets,
                _("packets, call by 127.0.0.1"): localhost.packets - address.packets,
                _("meaning"): before.meaning,
            }
            rows.append(row)
        return pd.DataFrame(rows)


def publish(room: Room, *, port: int = 80) -> Publishing:
    """Publish a port on a user bridge, call it by the machine's address and by 127.0.0.1, and watch the rules count.

    The engine chooses the machine's port. Both calls come from the engine's own network namespace. Raises
    CommandFailed. Source: Docker's "Packet filtering and firewalls".
    """
    machine = networks_interfaces.read_new(room, "--network=host")
    with networks_bridge.user_bridge(room, name="published") as (network, _chosen):
        options = (f"--network={network}", f"--publish={port}")
        serve = ("python", "-u", "-m", "http.server", str(port))
        with probes.running(room, "shop", *options, command=serve) as name:
            room.wait.log(room.client.containers.get(name), "Serving", within_s=30)
            details = room.api.inspect_container(name)["NetworkSettings"]
            own = next(iter(details["Networks"].values()))["IPAddress"]
            bindings = details["Ports"].get(f"{port}/tcp") or []
            host_port = int(bindings[0]["HostPort"]) if bindings else None
            moments, statuses = [_about(room, own)], []
            for target in (machine.address, "127.0.0.1"):
                called = f"{target}:{host_port or port}"
                status = probes.inside(room, _CALL, "--network=host", arguments=(called,)) if host_port else [None]
                statuses.append(status[0])
                moments.append(_about(room, own))
    return Publishing(
        host_port, own, port, machine.address, statuses[0], statuses[1], moments[0], moments[1], moments[2]
    )


def _about(room: Room, address: str) -> tuple[Rule, ...]:
    subnet = address.rpartition(".")[0].split(".")[:2]
    near = re.compile(rf"{re.escape(address)}\b|-j DOCKER$|-s {re.escape('.'.join(subnet))}\.0\.0/")
    return tuple(rule for rule in rules(room) if near.search(rule.text) and rule.meaning)
