"""What results on networks say, from figures made up for the purpose."""

from collections import Counter

import pytest

from docker_tutor.topics.journey import Hop, Journey
from docker_tutor.topics.networks_aliases import Alias
from docker_tutor.topics.networks_bridge import Range
from docker_tutor.topics.networks_drivers import Drivers, Member
from docker_tutor.topics.networks_interfaces import Interface, Route, Stack
from docker_tutor.topics.networks_nat import Publishing, Rule
from docker_tutor.topics.networks_speed import Path, Speed
from docker_tutor.topics.networks_topology import Network, Plug, Topology

DNAT = "! -i br-1 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.20.0.2:80"


def stack() -> Stack:
    """A container's: loopback, and one cable that leads out."""
    loopback = Interface("lo", "127.0.0.1/8", "", 65536, 1, 1, up=True)
    cable = Interface("eth0", "172.20.0.2/16", "02:42", 1500, 7, 8, up=True)
    return Stack(
        (loopback, cable), (Route("0.0.0.0/0", "172.20.0.1", "eth0"), Route("172.20.0.0/16", None, "eth0")), 99
    )


def hop(interface: str, target: str, number: int = 5, source: str = "10.0.2.2:40000") -> Hop:
    return Hop("machine", interface, leaving=True, source=source, target=target, number=number, after_us=1.0)


def trip(*hops: Hop) -> Journey:
    return Journey(hops, (), 8080, "172.20.0.2:80", "veth1", "br-1", 200, 1)


def publishing(*counts: int) -> Publishing:
    moments = [(Rule("nat", "DOCKER", DNAT, count, 60 * count),) for count in counts]
    return Publishing(8080, "172.20.0.2", 80, "10.0.2.100", 200, 200, *moments)


def test_a_stack_knows_its_way_out() -> None:
    assert (stack().outward, stack().gateway, stack().address) == ("eth0", "172.20.0.1", "172.20.0.2")
    assert stack().addresses == ("172.20.0.2",)
    assert "0.0.0.0/0 via 172.20.0.1; 172.20.0.0/16" in set(stack().to_frame()["routes"])


def test_a_stack_without_a_network_has_no_way_out() -> None:
    alone = Stack((Interface("lo", "127.0.0.1/8", "", 65536, 1, 1, up=True),), (), 1)
    assert (alone.outward, alone.gateway, alone.address, alone.addresses) == (None, None, "", ())


def test_a_range_knows_whether_it_moved() -> None:
    kept = Range("172.20.0.0/16", "172.20.0.1", "172.20.0.0/16", None)
    moved = Range("172.21.0.0/16", "172.21.0.1", "172.20.0.0/16", "network other")
    assert (kept.moved, moved.moved) == (False, True)
    assert kept.contains("172.20.3.4")
    assert not kept.contains("172.21.0.1")
    assert not kept.contains("")


def test_an_alias_is_complete_when_the_answers_name_all_and_nobody_else() -> None:
    servers = {"one": "172.20.0.2", "two": "172.20.0.3"}
    answers = frozenset(servers.values())
    assert Alias("site", servers, 2, answers, Counter(one=1, two=1), Counter(one=2)).complete
    assert not Alias("site", servers, 2, frozenset({"172.20.0.2"}), Counter(one=2), Counter(one=2)).complete
    assert not Alias("site", servers, 2, answers | {"172.20.0.9"}, Counter(), Counter()).complete


def test_a_packet_is_counted_between_the_moments() -> None:
    assert (publishing(3, 4, 4).counted("address"), publishing(3, 4, 4).counted("localhost")) == (1, 0)
    assert publishing(3, 4, 4).target == "172.20.0.2:80"
    assert list(publishing(3, 4, 4).to_frame()["packets, call by address"]) == [1]


def test_a_port_that_was_not_published_has_no_target() -> None:
    assert Publishing(None, "172.20.0.2", 80, "10.0.2.100", None, None, (), (), ()).target == ""


@pytest.mark.parametrize(
    ("chain", "text", "meant"),
    [
        ("PREROUTING", "-m addrtype --dst-type LOCAL -j DOCKER", "looked up"),
        ("POSTROUTING", "-s 172.20.0.0/16 ! -o br-1 -j MASQUERADE", "as its sender"),
        ("POSTROUTING", "-s 172.20.0.2/32 -d 172.20.0.2/32 -p tcp -j MASQUERADE", "calls its own"),
        ("DOCKER", "-i br-1 -j RETURN", "not translated"),
        ("DOCKER", DNAT, "becomes the container's"),
        ("FORWARD", "-j DOCKER-USER", ""),
    ],
)
def test_a_rule_says_what_it_is_for(chain: str, text: str, meant: str) -> None:
    meaning = Rule("nat", chain, text, 0, 0).meaning
    assert meant in meaning
    assert bool(meant) == bool(meaning)


def test_only_rewriting_of_the_same_packet_counts() -> None:
    seen = trip(
        hop("program", "127.0.0.1:8080", 0),
        hop("tap0", "10.0.2.100:8080"),
        hop("br-1", "172.20.0.2:80"),
        hop("veth1", "172.20.0.2:80"),
    )
    assert seen.rewritten == (2,)
    assert seen.same_packet
    assert seen.interfaces == ("program", "tap0", "br-1", "veth1")


def test_a_proxy_in_between_is_noticed() -> None:
    seen = trip(hop("program", "127.0.0.1:8080", 0), hop("lo", "127.0.0.1:8080", 5), hop("br-1", "172.20.0.2:80", 6))
    assert not seen.same_packet
    assert seen.rewritten == ()


def test_a_call_that_nobody_answered_has_a_last_place_all_the_same() -> None:
    nobody = trip(hop("", "", 0))
    assert (nobody.last.target, nobody.answered_from) == ("", "")


def test_drivers_that_are_missing_are_not_reached() -> None:
    members = tuple(Member(title, "bridge", stack(), "172.20.0.2", 8000) for title in ("a", "b"))
    outcomes = {("a", "a"): "reached", ("a", "b"): "reached", ("b", "a"): "no answer", ("b", "b"): "reached"}
    found = Drivers(members, outcomes, "not supported")
    assert found.reached("a", "b")
    assert not found.reached("b", "a")
    assert not found.reached("macvlan 1", "a")
    assert found.reach_frame().shape == (2, 3)


def test_speed_tells_the_median_and_the_late_ones() -> None:
    path = Path("host", "127.0.0.1:1", 1e9, tuple(n / 1e6 for n in range(1, 201)))
    assert path.median_s == pytest.approx(100.5e-6)
    assert path.p99_s > 190e-6
    assert Speed((path,), 1).find("host") is path


def test_a_topology_finds_what_two_containers_share() -> None:
    nets = (Network("back", "bridge", "172.21.0.0/16", ""), Network("front", "bridge", "172.20.0.0/16", "172.20.0.1"))
    plugs = (
        Plug("app", "back", "172.21.0.3", "", ()),
        Plug("app", "front", "172.20.0.3", "", ()),
        Plug("db", "back", "172.21.0.2", "", ()),
        Plug("web", "front", "172.20.0.2", "", ("8080 → 80/tcp",)),
    )
    found = Topology(nets, plugs)
    assert found.containers == ("app", "db", "web")
    assert found.together("web", "app") == {"front"}
    assert found.together("web", "db") == frozenset()
    assert list(found.to_frame()["gateway"]) == ["none", "172.20.0.1", "none", "172.20.0.1"]
