"""Pictures of namespaces and networks: each has a picture, words and a table that say the same."""

from collections import Counter
from collections.abc import Callable

import pytest

from docker_tutor.plots.anatomy import two_stacks
from docker_tutor.plots.journey import packet_journey
from docker_tutor.plots.namespaces import namespace_matrix
from docker_tutor.plots.networks import alias_answers, name_resolution, network_speed, reachability
from docker_tutor.plots.picture import Picture
from docker_tutor.plots.topology import network_topology
from docker_tutor.topics.journey import Hop, Journey
from docker_tutor.topics.namespaces import Matrix, Resident
from docker_tutor.topics.networks_aliases import Alias
from docker_tutor.topics.networks_drivers import Drivers, Member
from docker_tutor.topics.networks_interfaces import Stack
from docker_tutor.topics.networks_names import Answer, Lookup, Names
from docker_tutor.topics.networks_speed import Path, Speed
from docker_tutor.topics.networks_topology import Network, Plug, Topology
from docker_tutor.topics.process_tree import Link, ProcessTree

CHAIN = (Link(300, "sleep"), Link(200, "containerd-shim-runc-v2"), Link(1, "init"))


def matrix() -> Picture:
    plain = Resident("plain", 2, {"pid": 4, "uts": 2})
    return namespace_matrix(
        Matrix(Resident("outside", 1, {"pid": 1, "uts": 2}), (plain, Resident("j", 3, {"pid": 4, "uts": 5})))
    )


def names() -> Picture:
    lookups = (Lookup("name", "web", ("172.20.0.2",), ()), Lookup("short id", "abc", (), ()))
    answer = Answer("127.0.0.11", "web", "NOERROR", ("172.20.0.2",), 600, 0.0005)
    return name_resolution(
        Names("172.20.0.0/16", "172.20.0.0/16", "172.20.0.2", lookups, "127.0.0.11", "10.0.2.3", (answer,))
    )


def aliases() -> Picture:
    servers = {"one": "172.20.0.2", "two": "172.20.0.3"}
    return alias_answers(
        Alias("site", servers, 10, frozenset(servers.values()), Counter(one=7, two=3), Counter(one=4, two=6))
    )


def drivers() -> Picture:
    titles = ("bridge 1", "none")
    members = tuple(Member(title, "x", Stack((), (), 1), "", 0) for title in titles)
    words = ("reached", "no address", "no route", "no address")
    pairs = [(caller, called) for caller in titles for called in titles]
    return reachability(Drivers(members, dict(zip(pairs, words, strict=True)), ""))


def speed() -> Picture:
    trips = tuple(n / 1e6 for n in range(5, 105))
    return network_speed(Speed((Path("host", "a:1", 2e10, trips), Path("bridge", "b:1", 1e10, trips)), 1))


def journey() -> Picture:
    there = (
        Hop("caller", "program", leaving=True, source="a:1", target="b:8080", number=0, after_us=0),
        Hop("machine", "tap0", leaving=False, source="a:1", target="b:8080", number=9, after_us=0),
        Hop("container", "eth0", leaving=False, source="a:1", target="c:80", number=9, after_us=50),
    )
    back = (Hop("container", "eth0", leaving=True, source="c:80", target="a:1", number=10, after_us=60),)
    return packet_journey(Journey(there, back, 8080, "c:80", "veth1", "br-1", 200, 1))


def topology() -> Picture:
    nets = (Network("front", "bridge", "172.20.0.0/16", "172.20.0.1"), Network("none", "null", "", ""))
    plugs = (Plug("alone", "none", "", "", ()), Plug("web", "front", "172.20.0.2", "", ("8080 → 80/tcp",)))
    return network_topology(Topology(nets, plugs), chosen="web")


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (matrix, "plain shares with the engine: uts"),
        (lambda: two_stacks(ProcessTree(CHAIN, ("dockerd",))), "it is no longer running"),
        (lambda: two_stacks(ProcessTree((CHAIN[0], Link(2, "runc")), ("runc",))), "it is still running"),
        (names, "not found: name, short id"),
        (aliases, "one 7, two 3"),
        (drivers, "A connection comes about only for"),
        (speed, "host: 20.0 Gbit/s"),
        (journey, "eth0: to c:80"),
        (topology, "web (172.20.0.2)"),
        (lambda: network_topology(Topology((), ())), "No container is running."),
    ],
)
def test_a_picture_is_drawn_and_its_words_say_what_it_shows(draw: Callable[[], Picture], words: str) -> None:
    picture = draw()
    assert picture.png.startswith(b"\x89PNG")
    assert words in picture.alt
    assert isinstance(picture.table.to_html(), str)
