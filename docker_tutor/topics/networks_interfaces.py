"""Interfaces and routes of one network namespace, read from the kernel without any tool in the image."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _
from docker_tutor.topics import probes

__all__ = ["Interface", "Route", "Stack", "read_new", "read_running"]

_PROBE = """
import fcntl, json, os, socket, struct
def text(path):
    try:
        return open(path).read().strip()
    except OSError:
        return ""
def address(name):
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for request in (0x8915, 0x891B):  # SIOCGIFADDR, SIOCGIFNETMASK
            try:
                found.append(fcntl.ioctl(probe, request, struct.pack("256s", name.encode()))[20:24])
            except OSError:
                return None
    return socket.inet_ntoa(found[0]) + "/" + str(int.from_bytes(found[1], "big").bit_count())
def interface(index, name):
    folder = "/sys/class/net/" + name + "/"
    return {
        "name": name, "address": address(name), "mac": text(folder + "address"), "index": index,
        "mtu": int(text(folder + "mtu") or 0), "peer_index": int(text(folder + "iflink") or 0),
        "up": bool(int(text(folder + "flags") or "0", 16) & 1),
    }
def dotted(word):
    return socket.inet_ntoa(struct.pack("<L", int(word, 16)))
def route(line):
    words = line.split()
    to = dotted(words[1]) + "/" + str(int(words[7], 16).bit_count())
    return {"interface": words[0], "destination": to, "gateway": dotted(words[2])}
print(json.dumps({
    "interfaces": [interface(index, name) for index, name in socket.if_nameindex()],
    "routes": [route(line) for line in text("/proc/net/route").splitlines()[1:]],
    "namespace": os.stat("/proc/self/ns/net").st_ino,
}))
"""


@dataclass(frozen=True, slots=True)
class Interface:
    """One network interface, as the kernel describes it."""

    name: str
    address: str | None
    """IPv4 address and prefix length, as in 172.17.0.2/16; None when it has none."""
    mac: str
    mtu_bytes: int
    index: int
    peer_index: int
    """Index of the other end of a veth pair, counted in *its* namespace; its own index when there is none."""
    up: bool


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the IPv4 routing table."""

    destination: str
    gateway: str | None
    """None for what is reached directly."""
    interface: str


@dataclass(frozen=True, slots=True)
class Stack:
    """The interfaces and routes of one network namespace."""

    interfaces: tuple[Interface, ...]
    routes: tuple[Route, ...]
    namespace: int
    """Inode of the network namespace."""

    @property
    def names(self) -> tuple[str, ...]:
        """The interfaces' names, in the kernel's order."""
        return tuple(interface.name for interface in self.interfaces)

    @property
    def gateway(self) -> str | None:
        """Where everything goes that has no route of its own; None when such packets have nowhere to go."""
        return next((route.gateway for route in self.routes if route.destination == "0.0.0.0/0"), None)

    @property
    def outward(self) -> str | None:
        """Name of the interface that leads to the gateway; None when nothing leads out."""
        return next((route.interface for route in self.routes if route.destination == "0.0.0.0/0"), None)

    @property
    def address(self) -> str:
        """The IPv4 address of the interface that leads out, else the first besides loopback's; empty without one."""
        own = {each.name: each.address for each in self.interfaces if each.address and each.name != "lo"}
        best = own.get(self.outward or "") or next(iter(own.values()), "")
        return best.partition("/")[0]

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every IPv4 address but loopback's, without its prefix length."""
        found = (interface.address for interface in self.interfaces if interface.name != "lo")
        return tuple(address.partition("/")[0] for address in found if address)

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each interface, with the routes that leave through it."""
        rows = [
            {
                _("interface"): each.name,
                _("address"): each.address or _("none"),
                _("MAC address"): each.mac or _("none"),
                _("MTU (bytes)"): each.mtu_bytes,
                _("routes"): "; ".join(
                    route.destination + (_(" via {gateway}").format(gateway=route.gateway) if route.gateway else "")
                    for route in self.routes
                    if route.interface == each.name
                ),
            }
            for each in self.interfaces
        ]
        return pd.DataFrame(rows)


def _stack(found: Mapping[str, Any]) -> Stack:
    interfaces = tuple(
        Interface(
            each["name"], each["address"], each["mac"], each["mtu"], each["index"], each["peer_index"], each["up"]
        )
        for each in found["interfaces"]
    )
    routes = tuple(
        Route(each["destination"], each["gateway"] if each["gateway"] != "0.0.0.0" else None, each["interface"])  # noqa: S104 — a route, not a bind
        for each in found["routes"]
    )
    return Stack(interfaces, routes, found["namespace"])


def read_running(room: Room, name: str) -> Stack:
    """Read the interfaces and routes of a running container. Source: /proc/net/route, `man 7 netdevice`."""
    return _stack(probes.ask(room, name, _PROBE))


def read_new(room: Room, *options: str) -> Stack:
    """Start a container with these options and read the interfaces and routes that it finds. Raises CommandFailed."""
    return _stack(probes.inside(room, _PROBE, *options))
