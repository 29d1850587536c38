"""A bridge network of one's own: a free range of addresses for it, and its life around a `with` block."""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.errors import CommandFailed
from docker_tutor.i18n import _
from docker_tutor.topics import networks_interfaces

__all__ = ["WANTED", "Range", "free_range", "user_bridge"]

WANTED = "172.20.0.0/16"
"""The range that the course names; kept wherever it is free."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Range:
    """A range of addresses for a new network, and why it is this one."""

    subnet: str
    gateway: str
    wanted: str
    taken_by: str | None
    """What overlaps the range that was wanted; None when it was free."""

    @property
    def moved(self) -> bool:
        """Whether another range had to be chosen."""
        return self.subnet != self.wanted

    def contains(self, address: str) -> bool:
        """Whether an address lies in the range."""
        return bool(address) and ipaddress.ip_address(address) in ipaddress.ip_network(self.subnet)

    def to_frame(self) -> pd.DataFrame:
        """Return the choice as a table of one row."""
        row = {
            _("wanted"): self.wanted,
            _("taken by"): self.taken_by or _("nobody"),
            _("chosen"): self.subnet,
            _("gateway"): self.gateway,
        }
        return pd.DataFrame([row])


def free_range(room: Room, wanted: str = WANTED, *, name: str = "my-network") -> Range:
    """Choose a range that overlaps no network of the engine and no route of its machine: the wanted one if it can be.

    A network called `name` does not count: it is the one about to be made again. Raises CommandFailed when every
    candidate overlaps something.
    """
    own = [network["Id"][:12] for network in room.api.networks(names=[name]) if network["Name"] == name]
    taken = _taken(room, ignore=own)
    candidates = [ipaddress.ip_network(wanted), *_candidates()]
    clash = {subnet: next((by for net, by in taken if net.overlaps(subnet)), None) for subnet in candidates}
    chosen = next((subnet for subnet, by in clash.items() if by is None), None)
    if chosen is None:
        raise CommandFailed(_("No private range of addresses is free: `docker network ls` and `ip route` show them."))
    return Range(str(chosen), str(chosen[1]), wanted, clash[candidates[0]])


def _candidates() -> list[ipaddress.IPv4Network]:
    wide = [ipaddress.IPv4Network(f"172.{second}.0.0/16") for second in range(21, 32)]
    return wide + list(ipaddress.IPv4Network("192.168.128.0/17").subnets(new_prefix=20))


def _taken(room: Room, ignore: list[str]) -> list[tuple[Network, str]]:
    found: list[tuple[Network, str]] = []
    for network in room.api.networks():
        if network["Id"][:12] in ignore:
            continue
        configured = (network["IPAM"] or {}).get("Config") or []
        ranges = [ipaddress.ip_network(entry["Subnet"]) for entry in configured if entry.get("Subnet")]
        found += [
            (subnet, _("network {name}").format(name=network["Name"])) for subnet in ranges if subnet.version == 4
        ]
    for route in networks_interfaces.read_new(room, "--network=host").routes:
        subnet = ipaddress.ip_network(route.destination)
        if subnet.prefixlen and not any(route.interface.endswith(network) for network in ignore):
            found.append((subnet, _("a route by {name}").format(name=route.interface)))
    return found


@contextmanager
def user_bridge(room: Room, wanted: str = WANTED, *, name: str = "user-bridge") -> Iterator[tuple[str, Range]]:
    """Keep a bridge network for a `with` block; yields its name and the range asked for.

    Source: `docker network create`. Raises CommandFailed.
    """
    unique = room.unique(name)
    chosen = free_range(room, wanted, name=unique)
    room.cli("network", "create", "--subnet", chosen.subnet, "--gateway", chosen.gateway, unique)
    try:
        yield unique, chosen
    finally:
        room.cli("network", "rm", unique)
