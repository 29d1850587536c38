"""Forward what listens in the guest to 127.0.0.1, as it appears and disappears.

slirp4netns forwards a port of this machine to an address of the guest. What listens on any address there has
10.0.2.100; what listens on the guest's loopback only (`-p 127.0.0.1:8080:80`) is reached by 10.0.2.101, which the
guest turns into its 127.0.0.1. Datagrams go over the line: see `datagrams`.
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from docker_tutor.engines.base import ForwardedPort
from docker_tutor.engines.private.datagrams import DatagramRelay, Ways
from docker_tutor.engines.private.listeners import Listener
from docker_tutor.engines.private.slirp import GUEST, Refused, Slirp
from docker_tutor.engines.private.state import write_json
from docker_tutor.engines.vm.layout import Layout

__all__ = ["Forwarding"]

LOOPBACK = "10.0.2.101"
TAKEN = "something else on this machine has the port"

log = logging.getLogger("keeper")


@dataclass(slots=True)
class _Forward:
    """One listener, and what was done about it."""

    rule: int | None = None
    relay: DatagramRelay | None = None
    note: str = ""

    @property
    def reached(self) -> bool:
        return self.rule is not None or self.relay is not None


class Forwarding:
    """Knows what is forwarded."""

    def __init__(self, layout: Layout, ways: Ways | None) -> None:
        """Speak to the slirp4netns of `layout`; datagrams go by `ways`, if there are any."""
        self._layout = layout
        self._ways = ways
        self._slirp = Slirp(layout.slirp_socket)
        self._forwards: dict[Listener, _Forward] = {}
        self._reserved: set[int] = set()

    async def fixed(self, port: int, inside: int) -> None:
        """Forward 127.0.0.1:`port` to `inside` of the guest, and to nothing else. Raises `Refused`, `OSError`."""
        self._reserved.add(inside)
        await self._slirp.add(port, inside=inside)

    async def arrange(self, wanted: Sequence[Sequence[Any]]) -> None:
        """Forward these listeners `[protocol, port, address]`, and no others."""
        listeners = {Listener(protocol, port, address) for protocol, port, address in wanted}
        listeners = {item for item in listeners if item.port not in self._reserved}
        for gone in self._forwards.keys() - listeners:
            await self._withdraw(gone, self._forwards.pop(gone))
        for listener in listeners:
            known = self._forwards.get(listener)
            if known is None or not known.reached:
                self._forwards[listener] = await self._forward(listener)
        self._publish()

    async def _forward(self, listener: Listener) -> _Forward:
        if listener.protocol == "udp":
            return await self._relay(listener)
        if listener.address not in {"", GUEST} and not listener.address.startswith("127."):
            return _Forward(note=f"it listens at {listener.address} of the guest only")
        guest = LOOPBACK if listener.address.startswith("127.") else GUEST
        try:
            rule = await self._slirp.add(listener.port, guest=guest)
        except (Refused, OSError) as error:
            log.info("%s %d: %s", listener.protocol, listener.port, error)
            return _Forward(note=TAKEN)
        log.info("%s %d: forwarded", listener.protocol, listener.port)
        return _Forward(rule)

    async def _relay(self, listener: Listener) -> _Forward:
        if self._ways is None:
            return _Forward(note="datagrams are not carried into this engine")
        relay = DatagramRelay(self._ways, listener.address or GUEST, listener.port)
        try:
            await relay.open()
        except OSError as error:
            log.info("%s %d: %s", listener.protocol, listener.port, error)
            return _Forward(note=TAKEN)
        log.info("%s %d: forwarded", listener.protocol, listener.port)
        return _Forward(relay=relay)

    async def _withdraw(self, listener: Listener, forward: _Forward) -> None:
        if forward.relay:
            forward.relay.close()
        if forward.rule is None:
            return
        try:
            await self._slirp.remove(forward.rule)
            log.info("%s %d: gone", listener.protocol, listener.port)
        except (Refused, OSError) as error:
            log.info("%s %d not withdrawn: %s", listener.protocol, listener.port, error)

    def _publish(self) -> None:
        items = sorted(self._forwards.items(), key=lambda item: (item[0].port, item[0].protocol))
        ports = [ForwardedPort(it.protocol, it.port, fwd.reached, fwd.note) for it, fwd in items]
        write_json(self._layout.ports, {"ports": [asdict(port) for port in ports]})
