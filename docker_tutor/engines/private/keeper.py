"""The keeper: a process beside the private engine that forwards its ports and notes when a part of it ends.

Run as `python -m docker_tutor.engines.private.keeper NAME RUNTIME DATA`, the fields of its layout. It owns nothing
that could not be found without it: killed, it is started again by the next `up`.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from docker_tutor.engines import port_ranges
from docker_tutor.engines.base import ForwardedPort
from docker_tutor.engines.private.datagrams import DatagramRelay, Sockets
from docker_tutor.engines.private.layout import Layout
from docker_tutor.engines.private.listeners import NETLINK_SOCK_DIAG, Listener, ask, listeners
from docker_tutor.engines.private.relay import Inside, Relay
from docker_tutor.engines.private.slirp import GUEST, Refused, Slirp
from docker_tutor.engines.private.state import State, read, write_json
from docker_tutor.engines.private.stopping import stop
from docker_tutor.processes import Process

__all__ = ["Keeper", "main"]

LOOK_EVERY_S = 0.1
"""Listeners of `--network host` are announced by nobody: see `docker_tutor.engines.private.listeners`."""
TRY_AGAIN_EVERY = 20
"""How many looks later a port that was taken is tried again."""
SHORT_LIVED_PORTS = range(port_ranges.FIRST, 61000)
"""A UDP socket here is, as a rule, a client's own: it is forwarded once it has been seen twice."""
CHUNK_BYTES = 1 << 16
EVENTS = b"GET /events?filters=%7B%22type%22%3A%5B%22container%22%2C%22network%22%5D%7D HTTP/1.1\r\nHost: d\r\n\r\n"
log = logging.getLogger("keeper")


@dataclass(slots=True)
class _Forward:
    """One listener, and what was done about it."""

    listener: Listener
    rule: int | None = None
    relay: Relay | DatagramRelay | None = None
    note: str = ""
    look: int = 0

    @property
    def reached(self) -> bool:
        return self.rule is not None or self.relay is not None


class Keeper:
    """Looks, forwards, withdraws."""

    def __init__(self, layout: Layout, state: State) -> None:
        """Keep the engine that `state` describes."""
        self.layout = layout
        self.state = state
        self.note = ""
        self.asked = False
        self._slirp = Slirp(layout.slirp_socket)
        self._inside = Inside(layout.network_namespace)
        self._diagnosis: socket.socket | None = None
        self._forwards: dict[Listener, _Forward] = {}
        self._seen_once: set[Listener] = set()
        self._look = 0
        self._arranging = asyncio.Lock()
        self.ended = asyncio.Event()

    async def run(self) -> None:
        """Keep until a part of the engine ends; then withdraw everything and note what ended."""
        for name in ("dockerd", "containerd", "slirp4netns"):
            self._watch(name)
        self._publish()
        self._diagnosis = await self._inside.made(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
        _say_ready()
        following = asyncio.create_task(self._follow_events())
        while not self.ended.is_set():
            await self._scan()
            try:
                # Polling, for want of an event: see `listeners`.
                await asyncio.wait_for(self.ended.wait(), LOOK_EVERY_S)
            except TimeoutError:
                continue
        following.cancel()
        async with self._arranging:
            await self._arrange(set())
        self._publish()

    def on_ask(self) -> None:
        """End, because somebody asked."""
        self.asked = True
        self.ended.set()

    def _watch(self, name: str) -> None:
        process = self.state.process(name)
        pidfd = process.open() if process else None
        if pidfd is None:
            self._on_end(name)
        else:
            asyncio.get_running_loop().add_reader(pidfd, self._on_end, name, pidfd)

    def _on_end(self, name: str, pidfd: int | None = None) -> None:
        if pidfd is not None:
            asyncio.get_running_loop().remove_reader(pidfd)
            os.close(pidfd)
        self.note = self.note or f"{name} ended."
        log.warning("%s ended", name)
        self.ended.set()

    async def _follow_events(self) -> None:
        """Look at once when the daemon says that a container or network changed."""
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(self.layout.socket)
                writer.write(EVENTS)
                while await reader.read(CHUNK_BYTES):
                    await self._scan()
            except OSError as error:
                log.info("no events yet: %s", error)
            await asyncio.sleep(LOOK_EVERY_S)  # the daemon does not answer yet, or has closed the stream

    async def _scan(self) -> None:
        async with self._arranging:
            found = self._listeners()
            short = {item for item in found if item.protocol == "udp" and item.port in SHORT_LIVED_PORTS}
            wanted = found - (short - self._seen_once - self._forwards.keys())
            self._seen_once = short
            self._look += 1
            await self._arrange(wanted)

    def _listeners(self) -> set[Listener]:
        if self._diagnosis:
            try:
                return ask(self._diagnosis)
            except OSError as error:
                log.info("this kernel has no socket diagnosis, its tables serve: %s", error)
                self._diagnosis = None
        try:
            return listeners(self.state.processes["dockerd"].pid)
        except (FileNotFoundError, ProcessLookupError):
            return set()  # dockerd has ended, which its pidfd is about to announce

    async def _arrange(self, wanted: set[Listener]) -> None:
        before = [(forward.listener, forward.note) for forward in self._forwards.values()]
        for listener in self._forwards.keys() - wanted:
            await self._withdraw(self._forwards.pop(listener))
        for listener in wanted:
            known = self._forwards.get(listener)
            if known is None or (not known.reached and self._look - known.look >= TRY_AGAIN_EVERY):
                self._forwards[listener] = forward = _Forward(listener, look=self._look)
                await self._forward(forward)
                if known is None or known.note != forward.note:
                    log.info("%s %d: %s", listener.protocol, listener.port, forward.note or "forwarded")
        if before != [(forward.listener, forward.note) for forward in self._forwards.values()]:
            self._publish()

    async def _forward(self, forward: _Forward) -> None:
        listener = forward.listener
        try:
            if listener.protocol == "tcp" and not listener.address:
                forward.rule = await self._slirp.add(listener.port)
            else:
                relay = self._relay(listener.protocol, listener.address or GUEST, listener.port)
                await relay.open()
                forward.relay = relay
        except (Refused, OSError) as error:
            log.debug("%s", error)
            forward.note = "something else on this machine has the port"

    def _relay(self, protocol: str, address: str, port: int) -> Relay | DatagramRelay:
        if protocol == "tcp":
            return Relay(self._inside, address, port)
        return DatagramRelay(Sockets(self._inside), address, port)

    async def _withdraw(self, forward: _Forward) -> None:
        log.info("%s %d: gone", forward.listener.protocol, forward.listener.port)
        if forward.relay:
            forward.relay.close()
        if forward.rule is not None:
            try:
                await self._slirp.remove(forward.rule)
            except (Refused, OSError) as error:
                log.info("not withdrawn, slirp4netns has ended: %s", error)

    def _publish(self) -> None:
        forwards = sorted(self._forwards.values(), key=lambda f: (f.listener.port, f.listener.protocol))
        ports = [ForwardedPort(f.listener.protocol, f.listener.port, f.reached, f.note) for f in forwards]
        write_json(self.layout.ports, {"ports": [asdict(port) for port in ports], "note": self.note})


def _say_ready() -> None:
    if path := os.environ.pop("NOTIFY_SOCKET", None):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.sendto(b"READY=1", path)


async def _keep(layout: Layout, state: State) -> bool:
    """Keep, and return whether the keeper was asked to end (the machine shuts down): then the engine goes with it."""
    keeper = Keeper(layout, state)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, keeper.on_ask)
    await keeper.run()
    return keeper.asked


def main(name: str, runtime: str, data: str) -> None:
    """Keep the engine whose layout has the three fields `name`, `runtime` and `data`."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    layout = Layout(name, Path(runtime), Path(data))
    state = read(layout.state)
    if state is None:
        raise SystemExit(f"there is no engine in {runtime}")
    if asyncio.run(_keep(layout, state)):
        stop(layout, keeper=Process.of(os.getpid()))


if __name__ == "__main__":
    main(*sys.argv[1:])
