"""Taking a VXLAN packet apart, by the layout that RFC 7348 gives."""

import ipaddress
import struct

import pytest

from docker_tutor.topics.swarm_tunnel import OUTER_BYTES, VXLAN_PORT, decode

OUTER = ("192.168.254.2", "192.168.254.1")
VNI = 4097
INNER = ("10.0.9.4", "10.0.9.2")


def ipv4(ends: tuple[str, str], protocol: int, body: bytes) -> bytes:
    source, target = (ipaddress.IPv4Address(end).packed for end in ends)
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, protocol, 0) + source + target + body


def vxlan(inner: bytes, *, port: int = VXLAN_PORT, flags: int = 0x08, kind: bytes = b"\x08\x00") -> bytes:
    frame = bytes.fromhex("02420a000902") + bytes.fromhex("02420a000904") + kind + inner
    payload = bytes([flags, 0, 0, 0]) + VNI.to_bytes(3) + b"\0" + frame
    return ipv4(OUTER, 17, struct.pack(">4H", 55555, port, 8 + len(payload), 0) + payload)


def tcp(flags: int, said: bytes = b"") -> bytes:
    return struct.pack(">2H2I2B3H", 40000, 80, 1, 1, 5 << 4, flags, 64, 0, 0) + said


def test_addresses_number_and_call_are_read_from_their_places() -> None:
    frame = decode(vxlan(ipv4(INNER, 6, tcp(0x18, b"GET / HTTP/1.1\r\nHost: near\r\n\r\n"))))
    assert frame is not None
    assert (frame.outer_source, frame.outer_target, frame.outer_port) == (*OUTER, 4789)
    assert (frame.inner_source, frame.inner_target) == INNER
    assert frame.inner_macs == ("02:42:0a:00:09:04", "02:42:0a:00:09:02")
    assert frame.vni == VNI
    assert frame.about == "40000 → 80, ACK+PSH, “GET / HTTP/1.1”"
    assert frame.outer_bytes - frame.inner_bytes == OUTER_BYTES


@pytest.mark.parametrize(("kind", "name"), [(8, "echo request"), (0, "echo reply"), (3, "type 3")])
def test_pings_are_named(kind: int, name: str) -> None:
    frame = decode(vxlan(ipv4(INNER, 1, bytes([kind, 0, 0, 0, 0, 1, 0, 1]))))
    assert frame is not None
    assert (frame.protocol, frame.about) == ("ICMP", name)


@pytest.mark.parametrize(
    "packet",
    [
        vxlan(ipv4(INNER, 6, tcp(2)), port=53),
        vxlan(ipv4(INNER, 6, tcp(2)), flags=0),
        vxlan(b"\0" * 28, kind=b"\x08\x06"),
        ipv4(OUTER, 17, struct.pack(">4H", 1, VXLAN_PORT, 8, 0)),
    ],
    ids=["another port", "no valid number", "an ARP question inside", "nothing inside"],
)
def test_what_is_no_ip_packet_in_vxlan_is_passed_over(packet: bytes) -> None:
    assert decode(packet) is None
