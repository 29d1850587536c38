"""Who is plugged into which network: read from the engine's own lists, in two calls however many there are."""

from dataclasses import dataclass

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.gateway.labels import SCOPE
from docker_tutor.i18n import _

__all__ = ["Network", "Plug", "Topology", "topology"]


@dataclass(frozen=True, slots=True)
class Network:
    """One network, as the engine lists it."""

    name: str
    driver: str
    subnet: str
    """Empty where the driver hands out no addresses."""
    gateway: str


@dataclass(frozen=True, slots=True)
class Plug:
    """One container in one network."""

    container: str
    network: str
    address: str
    """IPv4 address; empty where the network gives none."""
    mac: str
    ports: tuple[str, ...]
    """Published ports of the container, as in `8080 → 80/tcp`."""


@dataclass(frozen=True, slots=True)
class Topology:
    """Networks, containers and what joins them."""

    networks: tuple[Network, ...]
    plugs: tuple[Plug, ...]

    @property
    def containers(self) -> tuple[str, ...]:
        """Names of the containers, each once, in alphabetical order."""
        return tuple(sorted({plug.container for plug in self.plugs}))

    def together(self, one: str, other: str) -> frozenset[str]:
        """Return the networks in which two containers both are."""
        first, second = ({plug.network for plug in self.plugs if plug.container == name} for name in (one, other))
        return frozenset(first & second)

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each plug."""
        known = {network.name: network for network in self.networks}
        rows = [
            {
                _("container"): plug.container,
                _("network"): plug.network,
                _("driver"): known[plug.network].driver,
                _("address"): plug.address or _("none"),
                _("gateway"): known[plug.network].gateway or _("none"),
                _("published"): ", ".join(plug.ports),
            }
            for plug in self.plugs
        ]
        return pd.DataFrame(rows)


def topology(room: Room, *, everything: bool = False) -> Topology:
    """Read which running containers are in which networks: the room's own, or `everything` that the engine has.

    Source: Engine API `GET /networks` and `GET /containers/json`.
    """
    listed = room.api.containers(filters=None if everything else {"label": [f"{SCOPE}={room.scope}"]})
    plugs = []
    for container in listed:
        name = container["Names"][0].lstrip("/")
        ports = tuple(
            sorted(
                {
                    f"{port['PublicPort']} → {port['PrivatePort']}/{port['Type']}"
                    for port in container["Ports"]
                    if port.get("PublicPort")
                }
            )
        )
        for network, end in container["NetworkSettings"]["Networks"].items():
            plugs.append(Plug(name, network, end["IPAddress"], end["MacAddress"], ports))
    used = {plug.network for plug in plugs}
    networks = []
    for network in room.api.networks():
        if network["Name"] not in used:
            continue
        settings: dict[str, str] = next(iter((network["IPAM"] or {}).get("Config") or []), {})
        networks.append(
            Network(network["Name"], network["Driver"], settings.get("Subnet", ""), settings.get("Gateway", ""))
        )
    order = sorted(networks, key=lambda network: (network.driver, network.name))
    return Topology(tuple(order), tuple(sorted(plugs, key=lambda plug: (plug.container, plug.network))))
