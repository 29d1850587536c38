"""The kernel's tables of sockets are read as they are written."""

import os
import socket
from collections.abc import Callable

import pytest

from docker_tutor.engines.private.listeners import NETLINK_SOCK_DIAG, Listener, ask, listeners, parse

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   2: 0100007F:1F92 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
"""
TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when
   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
   1: 00000000000000000000000001000000:1F93 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
   2: 0000000000000000FFFF00000100007F:1F94 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
"""
UDP = """\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  542: 00000000:2553 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0 0
  543: 6402000A:C351 0302000A:0035 01 00000000:00000000 00:00000000 00000000     0        0 1 2 0 0
"""


def test_only_listening_tcp_sockets_count() -> None:
    assert parse(TCP, "tcp") == {Listener("tcp", 8080, ""), Listener("tcp", 8081, "127.0.0.1")}


def test_ipv6_addresses_are_read_in_the_machines_byte_order() -> None:
    expected = {Listener("tcp", 8080, ""), Listener("tcp", 8083, "::1"), Listener("tcp", 8084, "127.0.0.1")}
    assert parse(TCP6, "tcp") == expected


def test_udp_sockets_count_while_they_have_no_peer() -> None:
    assert parse(UDP, "udp") == {Listener("udp", 9555, "")}


def asked() -> set[Listener]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as diagnosis:
        return ask(diagnosis)


def read() -> set[Listener]:
    return listeners(os.getpid())


@pytest.mark.parametrize("look", [asked, read])
def test_listeners_of_this_process_are_found(look: Callable[[], set[Listener]]) -> None:
    with socket.socket() as tcp, socket.socket(socket.AF_INET6) as tcp6, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        tcp6.bind(("::", 0))
        udp.bind(("127.0.0.2", 0))
        for listening in (tcp, tcp6):
            listening.listen()
        expected = {
            Listener("tcp", tcp.getsockname()[1], "127.0.0.1"),
            Listener("tcp", tcp6.getsockname()[1], ""),
            Listener("udp", udp.getsockname()[1], "127.0.0.2"),
        }
        assert expected <= look()


@pytest.mark.parametrize("look", [asked, read])
def test_a_socket_that_has_a_peer_is_no_listener(look: Callable[[], set[Listener]]) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.connect(("127.0.0.1", 9))
        assert udp.getsockname()[1] not in {listener.port for listener in look() if listener.protocol == "udp"}


@pytest.mark.parametrize("look", [asked, read])
def test_a_listener_on_any_address_goes_before_one_on_loopback(look: Callable[[], set[Listener]]) -> None:
    with socket.socket() as one, socket.socket(socket.AF_INET6) as other:
        one.bind(("127.0.0.1", 0))
        one.listen()
        port = one.getsockname()[1]
        other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        other.bind(("::", port))
        other.listen()
        found = [listener for listener in look() if listener.port == port]
        assert found == [Listener("tcp", port, "")]
