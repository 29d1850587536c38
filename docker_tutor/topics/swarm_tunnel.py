"""What goes over the cable when two containers on one overlay network talk: VXLAN, captured and taken apart.

Source: RFC 7348 (VXLAN); `man 7 packet`.
"""

import ipaddress
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import IO

import pandas as pd

from docker_tutor.errors import CommandFailed
from docker_tutor.i18n import _
from docker_tutor.topics.swarm import IMAGE, NETWORK, WIRE, Pair, until

__all__ = ["OUTER_BYTES", "VXLAN_PORT", "Frame", "Tunnel", "decode", "tunnel"]

VXLAN_PORT = 4789
OUTER_BYTES = 20 + 8 + 8
"""What VXLAN puts before the inner frame: an IPv4, a UDP and a VXLAN header."""
_PROTOCOLS = {1: "ICMP", 6: "TCP", 17: "UDP"}

_CAPTURE = """
import socket, sys
link = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))  # ETH_P_ALL: others see arrivals only
link.bind((sys.argv[1], 3))
print("capturing", flush=True)
while True:
    data, (_name, protocol, *_rest) = link.recvfrom(2048)
    if protocol == 0x0800 and data[9] == 17:
        print(data.hex(), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Frame:
    """One VXLAN packet on the cable: the machines' addresses outside, the containers' inside."""

    outer_source: str
    outer_target: str
    outer_port: int
    """UDP port that it is sent to."""
    vni: int
    """VXLAN network identifier, 24 bits: which network of the swarm the inner frame belongs to."""
    inner_source: str
    inner_target: str
    inner_macs: tuple[str, str]
    """Hardware addresses of the sender and the receiver, in the inner frame."""
    protocol: str
    """`ICMP`, `TCP` or `UDP`, inside."""
    about: str
    """What the inner packet is: `echo request`, `8 → 80, SYN`, the first bytes of a page."""
    outer_bytes: int
    inner_bytes: int


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A ping and an HTTP call from one machine's container to the other's, with what was seen on the cable."""

    caller: str
    """Address of the calling container, on the overlay network."""
    called: str
    ping_ms: float
    page: str
    """What the called container's web server answered: its host name."""
    called_id: str
    """The short id of the called container, which is its host name."""
    vni: int
    """The network's VNI, as the manager's engine keeps it."""
    mtu_bytes: int
    """Of the container's interface: what is left of the cable's 1500."""
    frames: tuple[Frame, ...]

    def of(self, protocol: str) -> tuple[Frame, ...]:
        """Return the frames whose inner packet has that protocol."""
        return tuple(frame for frame in self.frames if frame.protocol == protocol)

    def readable(self, text: str) -> bool:
        """Whether `text` stood in one of the packets, for whoever reads the cable."""
        return any(text in frame.about for frame in self.frames)

    def to_frame(self) -> pd.DataFrame:
        """Return one line for each packet on the cable, in order."""
        rows = [
            {
                _("outside"): f"{each.outer_source} → {each.outer_target}:{each.outer_port}",
                _("VNI"): each.vni,
                _("inside"): f"{each.inner_source} → {each.inner_target}",
                _("inner packet"): f"{each.protocol}, {each.about}",
                _("bytes"): f"{each.outer_bytes} ({each.inner_bytes} {_('inside')})",
            }
            for each in self.frames
        ]
        return pd.DataFrame(rows)


def tunnel(pair: Pair) -> Tunnel:
    """Let a container on the second machine call one on the first, by its name, and read the cable meanwhile.

    The two are in the swarm's overlay network; `pair.join` is done if it was not. Raises WaitTimedOut, CommandFailed.
    """
    pair.join()
    serve = ("httpd", "-f", "-p", "80", "-h", "/srv")
    program = f"mkdir -p /srv && hostname > /srv/index.html && exec {' '.join(serve)}"
    here = pair.first.unique("serving")
    there = pair.second.unique("calling")
    with _running(pair, 0, here, "sh", "-c", program), _running(pair, 1, there, "sleep", "600"):
        exec_there = ("exec", there)
        # The name becomes known on the other machine a moment after the container has started.
        until(lambda: pair.second.cli(*exec_there, "ping", "-c", "1", "-W", "1", here), _("An answer across the cable"))
        with _capture(pair) as frames:
            pinged = pair.second.cli(*exec_there, "ping", "-c", "1", here).stdout
            page = pair.second.cli(*exec_there, "wget", "-q", "-O-", f"http://{here}/").stdout.strip()
            until(lambda: any("FIN" in frame.about for frame in frames), _("The end of the call"))
        ends = [
            room.api.inspect_container(name)["NetworkSettings"]["Networks"][NETWORK]["IPAddress"]
            for room, name in ((pair.first, here), (pair.second, there))
        ]
        mtu = pair.second.cli(*exec_there, "cat", "/sys/class/net/eth0/mtu").stdout
        called_id = str(pair.first.api.inspect_container(here)["Id"])[:12]
    mine = tuple(frame for frame in frames if {frame.inner_source, frame.inner_target} == set(ends))
    ping_ms = float(pinged.partition("time=")[2].split()[0])
    return Tunnel(ends[1], ends[0], ping_ms, page, called_id, _vni(pair), int(mtu), mine)


def _vni(pair: Pair) -> int:
    options = pair.first.api.inspect_network(NETWORK)["Options"]
    return int(options["com.docker.network.driver.overlay.vxlanid_list"])


@contextmanager
def _running(pair: Pair, machine: int, name: str, *command: str) -> Iterator[None]:
    room = pair.rooms[machine]
    room.cli("run", "-d", "--init", "--name", name, "--network", NETWORK, IMAGE, *command)
    try:
        yield
    finally:
        room.cli("rm", "-f", name)


@contextmanager
def _capture(pair: Pair) -> Iterator[list[Frame]]:
    """Read the cable at the first machine's end for a `with` block; yields a list that grows meanwhile."""
    command = [*(pair.first.engine.tools.enter or ()), sys.executable, "-c", _CAPTURE, WIRE]
    frames: list[Frame] = []

    def read(lines: IO[str]) -> None:
        # `extend` takes each frame as it comes, so the list grows while the block runs.
        frames.extend(frame for line in lines if (frame := decode(bytes.fromhex(line))))

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as capturing:
        if capturing.stdout is None or not capturing.stdout.readline():
            said = capturing.stderr.read().strip() if capturing.stderr else ""
            raise CommandFailed(_("The cable cannot be read: {why}").format(why=said))
        reading = Thread(target=read, args=(capturing.stdout,), daemon=True)
        reading.start()
        try:
            yield frames
        finally:
            capturing.kill()
            reading.join()


def decode(data: bytes) -> Frame | None:
    """Take an IPv4 packet apart; None when it is no VXLAN or carries no IPv4."""
    outer_head = (data[0] & 15) * 4
    port = struct.unpack_from(">H", data, outer_head + 2)[0]
    vxlan = outer_head + 8
    if port != VXLAN_PORT or len(data) < vxlan + 8 + 14 + 20 or not data[vxlan] & 0x08:
        return None
    vni = int.from_bytes(data[vxlan + 4 : vxlan + 7])
    inner = data[vxlan + 8 :]
    if inner[12:14] != b"\x08\x00":
        return None
    packet = inner[14:]
    protocol = _PROTOCOLS.get(packet[9], str(packet[9]))
    return Frame(
        _address(data[12:16]),
        _address(data[16:20]),
        port,
        vni,
        _address(packet[12:16]),
        _address(packet[16:20]),
        (inner[6:12].hex(":"), inner[0:6].hex(":")),
        protocol,
        _about(protocol, packet),
        int.from_bytes(data[2:4]),
        len(inner),
    )


def _address(four: bytes) -> str:
    return str(ipaddress.IPv4Address(four))


def _about(protocol: str, packet: bytes) -> str:
    body = packet[(packet[0] & 15) * 4 : int.from_bytes(packet[2:4])]
    if protocol == "ICMP":
        return {8: "echo request", 0: "echo reply"}.get(body[0], f"type {body[0]}")
    if protocol != "TCP":
        return ""
    source, target = struct.unpack_from(">2H", body)
    flags = [name for bit, name in ((2, "SYN"), (16, "ACK"), (8, "PSH"), (1, "FIN"), (4, "RST")) if body[13] & bit]
    said = body[(body[12] >> 4) * 4 :].split(b"\r\n")[0].decode("ascii", "replace")
    return f"{source} → {target}, {'+'.join(flags)}" + (f", “{said.strip()}”" if said else "")
