"""Names, reach, published ports and a packet's way, on a real engine."""

from collections.abc import Iterator

import pytest

from docker_tutor import open_room
from docker_tutor.classroom.room import Room
from docker_tutor.engines.base import Engine
from docker_tutor.topics import journey, networks, networks_bridge, networks_interfaces, probes

pytestmark = [pytest.mark.engine, pytest.mark.one_in(2)]


@pytest.fixture(scope="module")
def room(engine: Engine) -> Iterator[Room]:
    with open_room("07-networks", images=["python:3.11-slim", "docker-tutor/nettools"]) as room:
        yield room


def test_names_are_found_on_the_user_bridge_only(room: Room) -> None:
    names = networks.names(room)
    assert names.find("name").user_bridge == (names.address,)
    assert names.find("short id").user_bridge == (names.address,)
    assert all(lookup.default_bridge == () for lookup in names.lookups)
    assert names.server_user == "127.0.0.11"
    assert names.subnet_found == names.subnet_asked
    known, unknown, reverse = names.answers
    assert (known.code, known.answers, known.ttl_s) == ("NOERROR", (names.address,), 600)
    assert (unknown.code, unknown.answers) == ("NXDOMAIN", ())
    assert reverse.answers[0].partition(".")[0] == names.find("name").name


def test_an_alias_is_answered_with_all_its_containers_in_changing_order(room: Room) -> None:
    alias = networks.aliases(room, containers=2, questions=40)
    assert alias.complete
    assert sum(alias.first_answers.values()) == 40
    assert set(alias.first_answers) == set(alias.calls) == set(alias.servers)


def test_a_range_that_is_taken_is_left_to_its_owner(room: Room) -> None:
    with networks_bridge.user_bridge(room, name="owner") as (owner, first):
        second = networks.free_range(room, first.subnet)
        again = networks.free_range(room, first.subnet, name=owner)
    assert second.moved
    assert owner in (second.taken_by or "")
    assert not second.contains(first.gateway)
    assert again.subnet == first.subnet


def test_the_engines_own_way_out_counts_as_taken(room: Room) -> None:
    machine = networks_interfaces.read_new(room, "--network=host")
    route = next(route for route in machine.routes if route.interface == machine.outward and not route.gateway)
    chosen = networks.free_range(room, route.destination)
    assert chosen.moved
    assert not chosen.contains(machine.address)


def test_drivers_reach_whom_the_course_says(room: Room) -> None:
    found = networks.drivers(room)
    assert found.reached("user bridge 1", "user bridge 2")
    assert not found.reached("user bridge 1", "default bridge 1")
    assert found.reached("default bridge 1", "host")
    assert found.reached("host", "user bridge 2")
    assert not found.reached("none", "host")
    assert found.find("none").stack.names == ("lo",)
    # Where the engine is not ours, macvlan takes an interface of its own, which not every kernel can make.
    made = "macvlan 1" in {member.title for member in found.members}
    assert made or not room.capabilities.disposable
    assert found.reached("macvlan 1", "macvlan 2") == made
    assert not found.reached("macvlan 1", "host")
    assert not found.reached("host", "macvlan 1")


def test_a_published_port_is_translated_and_localhost_goes_through_the_proxy(room: Room) -> None:
    shop = networks.publish(room)
    assert shop.by_address == shop.by_localhost == 200
    assert shop.target == f"{shop.container_address}:80"
    assert (shop.counted("address"), shop.counted("localhost")) == (1, 0)


CHATTER = """
import socket, time
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    link.sendto(b"never silent", ("127.0.0.1", 9))
    time.sleep(0.05)
"""


def test_a_packet_is_followed_into_the_container_and_back(room: Room) -> None:
    with probes.running(room, "chatter", "--network=host", command=("python", "-c", CHATTER)):
        trip = journey.journey(room)
    assert trip.status == 200
    assert trip.same_packet
    assert {trip.bridge, trip.veth} <= set(trip.interfaces)
    assert trip.last.target == trip.answered_from == trip.container
    assert len(trip.rewritten) == 1
    assert trip.counted == 1
    captured = [hop.after_us for hop in (*trip.there[1:], *trip.back)]
    assert captured == sorted(captured)


def test_a_port_asked_for_twice_fails_in_the_program_or_in_the_engine(room: Room) -> None:
    conflict = networks.conflict(room)
    assert conflict.host_exit_code == 1
    assert "in use" in conflict.host_log
    assert conflict.publish_refused
    assert "already allocated" in conflict.publish_message
    assert "discarded" in conflict.ignored_warning
    assert conflict.ignored_ports == 0


def test_four_ways_are_measured(room: Room) -> None:
    speed = networks.speed(room, seconds=1, round_trips=300)
    assert [path.title for path in speed.paths] == ["host", "bridge", "published", "localhost"]
    assert all(path.throughput_bits_per_s > 1e6 and len(path.round_trips_s) == 300 for path in speed.paths)
    # With a process between: who wakes whom on which CPU is not left to luck. What else this machine does is, and may
    # hold up any of the four for a while, but never makes a round trip shorter.
    assert max(speed.paths, key=lambda path: min(path.round_trips_s)).title == "localhost"


def test_the_topology_takes_two_calls_however_many_containers_there_are(room: Room) -> None:
    with (
        networks_bridge.user_bridge(room, name="map") as (network, _chosen),
        probes.running(room, "map-one", f"--network={network}", "--publish=80") as one,
        probes.running(room, "map-two", f"--network={network}") as two,
        probes.running(room, "map-three", "--network=none") as three,
    ):
        before = len(room.calls())
        found = networks.topology(room)
        asked = [call for call in room.calls()[before:] if "/json" in call.path or "/networks" in call.path]
    assert found.containers == tuple(sorted((one, two, three)))
    assert found.together(one, two) == {network}
    assert found.together(one, three) == frozenset()
    assert found.plugs[0].ports
    assert len(asked) == 2


def test_nothing_is_left_of_the_demonstrations(room: Room) -> None:
    networks.names(room)
    label = {"label": f"docker-tutor.scope={room.scope}"}
    assert room.client.containers.list(all=True, filters=label) == []
    assert room.client.networks.list(filters=label) == []
