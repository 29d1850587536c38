"""What the network costs: the same traffic over the host's network, a bridge, a published port and the proxy."""

import json
import statistics
from contextlib import ExitStack
from dataclasses import dataclass

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _
from docker_tutor.topics import networks_bridge, networks_interfaces, probes
from docker_tutor.topics.networks_nat import TOOLS

__all__ = ["Path", "Speed", "speed"]

_ON_ONE_CPU = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
"""
"""Whether two processes share a CPU or wake each other's is a matter of luck, and worth more than a whole bridge."""

_ECHO = f"""{_ON_ONE_CPU}
import socket, sys, threading
def serve(link):
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while byte := link.recv(1):
        link.sendall(byte)
server = socket.create_server(("", int(sys.argv[1])))
print("serving on", server.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
"""

_PING_PONG = f"""{_ON_ONE_CPU}
import json, socket, sys, time
address, port = sys.argv[1].split(":")
link = socket.create_connection((address, int(port)), timeout=10)
link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
taken = []
for _ in range(int(sys.argv[2])):
    start = time.perf_counter()
    link.sendall(b"x")
    link.recv(1)
    taken.append(time.perf_counter() - start)
print(json.dumps(taken))
"""

_FREE = """
import json, socket, sys
links = [socket.create_server(("", 0)) for _ in range(int(sys.argv[1]))]
print(json.dumps([link.getsockname()[1] for link in links]))
"""


@dataclass(frozen=True, slots=True)
class Path:
    """One way from a client to a server, measured."""

    title: str
    target: str
    """Address and port that the client calls."""
    throughput_bits_per_s: float
    """One TCP stream, as iperf3's receiver counts it."""
    round_trips_s: tuple[float, ...]
    """Each: one byte there and one byte back, over an open connection."""

    @property
    def median_s(self) -> float:
        """The round trip that half of all were faster than."""
        return statistics.median(self.round_trips_s)

    @property
    def p99_s(self) -> float:
        """The round trip that ninety-nine in a hundred were faster than."""
        return statistics.quantiles(self.round_trips_s, n=100)[98]


@dataclass(frozen=True, slots=True)
class Speed:
    """The same client and server, joined in four ways."""

    paths: tuple[Path, ...]
    seconds: int
    """Length of each throughput run."""

    def find(self, title: str) -> Path:
        """Return the path with that title: `host`, `bridge`, `published` or `localhost`. Raises KeyError."""
        return {path.title: path for path in self.paths}[title]

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each way."""
        rows = [
            {
                _("way"): each.title,
                _("client calls"): each.target,
                _("throughput (Gbit/s)"): each.throughput_bits_per_s / 1e9,
                _("round trip, median (µs)"): each.median_s * 1e6,
                _("round trip, p99 (µs)"): each.p99_s * 1e6,
            }
            for each in self.paths
        ]
        return pd.DataFrame(rows)


def speed(room: Room, *, seconds: int = 1, round_trips: int = 2000) -> Speed:
    """Measure throughput (iperf3) and round trips between a client and a server in four ways.

    The client stands on the host's network each time. `host`: the server does too. `bridge`: it is called at its
    address on a user bridge. `published`: at the machine's address, through the DNAT rule. `localhost`: at
    127.0.0.1, through the engine's user-space proxy. For the round trips both are on one CPU. Raises CommandFailed;
    ValueError for less than a second, which iperf3 takes for "without end". Source: `man 1 iperf3`, `man 2
    sched_setaffinity`.
    """
    if seconds < 1:
        raise ValueError(f"speed(seconds={seconds}): one second or more")
    machine = networks_interfaces.read_new(room, "--network=host")
    free = [str(port) for port in probes.inside(room, _FREE, "--network=host", arguments=("2",))]
    with ExitStack() as stack:
        network, _chosen = stack.enter_context(networks_bridge.user_bridge(room, name="speed-bridge"))
        on_bridge = (f"--network={network}", "--publish=5201")
        servers = {
            "host": [_iperf(room, stack, free[0], "--network=host"), _echo(room, stack, free[1], "--network=host")],
            "bridge": [_iperf(room, stack, "5201", *on_bridge), _echo(room, stack, "5201", *on_bridge)],
        }
        details = [room.api.inspect_container(name)["NetworkSettings"] for name in servers["bridge"]]
        own = [each["Networks"][network]["IPAddress"] + ":5201" for each in details]
        published = [each["Ports"]["5201/tcp"][0]["HostPort"] for each in details]
        ways = {
            "host": [f"127.0.0.1:{port}" for port in free],
            "bridge": own,
            "published": [f"{machine.address}:{port}" for port in published],
            "localhost": [f"127.0.0.1:{port}" for port in published],
        }
        on_host = stack.enter_context(probes.running(room, "speed-client", "--network=host", image=TOOLS))
        paths = []
        for title, (throughput, trips) in ways.items():
            measured = _throughput(room, on_host, throughput, seconds)
            taken = probes.inside(room, _PING_PONG, "--network=host", arguments=(trips, str(round_trips)))
            paths.append(Path(title, throughput, measured, tuple(taken)))
    return Speed(tuple(paths), seconds)


def _iperf(room: Room, stack: ExitStack, port: str, *options: str) -> str:
    serve = ("iperf3", "--server", "--forceflush", "--port", port)
    name = stack.enter_context(probes.running(room, f"iperf-{port}", *options, image=TOOLS, command=serve))
    room.wait.log(room.client.containers.get(name), "Server listening", within_s=30)
    return name


def _echo(room: Room, stack: ExitStack, port: str, *options: str) -> str:
    serve = ("python", "-c", _ECHO, port)
    name = stack.enter_context(probes.running(room, f"echo-{port}", *options, command=serve))
    room.wait.log(room.client.containers.get(name), "serving on", within_s=30)
    return name


def _throughput(room: Room, client: str, target: str, seconds: int) -> float:
    address, _colon, port = target.partition(":")
    words = ("iperf3", "--client", address, "--port", port, "--time", str(seconds), "--json")
    found = json.loads(room.cli("exec", client, *words, timeout_s=60 + seconds).stdout)
    return float(found["end"]["sum_received"]["bits_per_second"])
