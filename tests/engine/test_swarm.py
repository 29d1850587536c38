"""Two real engines in a swarm: what crosses the cable, who reaches whom, what becomes of a service."""

from collections.abc import Iterator

import pytest

from docker_tutor import open_room
from docker_tutor.classroom.room import Room
from docker_tutor.engines import spare
from docker_tutor.engines.base import Engine
from docker_tutor.topics import swarm, swarm_reach, swarm_service, swarm_tunnel
from docker_tutor.topics.swarm import Pair

pytestmark = [pytest.mark.engine, pytest.mark.one_in(2)]


@pytest.fixture(scope="module")
def room(engine: Engine) -> Iterator[Room]:
    with open_room("07-swarm", images=["alpine"]) as room:
        yield room


@pytest.fixture(scope="module")
def pair(room: Room) -> Iterator[Pair]:
    with swarm.pair(room) as pair:
        pair.join()
        yield pair
    assert spare.abandoned() == []


def test_the_swarm_has_a_manager_and_a_worker_on_the_cable(pair: Pair) -> None:
    nodes = pair.nodes()
    assert [list(row) for row in nodes.to_numpy()] == [
        ["manager", "ready", "192.168.254.1"],
        ["worker", "ready", "192.168.254.2"],
    ]


def test_joining_again_changes_nothing(pair: Pair) -> None:
    before = pair.node_ids()
    pair.join()
    assert pair.node_ids() == before


def test_a_call_crosses_the_cable_in_vxlan_and_is_answered(pair: Pair) -> None:
    call = swarm_tunnel.tunnel(pair)
    assert call.page == call.called_id
    assert {frame.outer_port for frame in call.frames} == {swarm_tunnel.VXLAN_PORT}
    assert {frame.outer_source for frame in call.frames} == set(swarm.ADDRESSES)
    assert {frame.vni for frame in call.frames} == {call.vni}
    assert [frame.about for frame in call.of("ICMP")] == ["echo request", "echo reply"]
    assert "SYN" in call.of("TCP")[0].about
    assert call.mtu_bytes == 1500 - swarm_tunnel.OUTER_BYTES - 14
    assert pair.first.api.containers(all=True) == pair.second.api.containers(all=True) == []


def test_only_the_overlay_reaches_across_by_its_own_addresses(pair: Pair) -> None:
    found = swarm_reach.reach(pair)
    assert found.reached("overlay 1", "overlay 2")
    assert found.reached("overlay 2", "overlay 1")
    assert not found.reached("host 1", "overlay 1")
    assert found.outcomes["bridge 1", "bridge 2"] == "somebody else"
    assert pair.first.api.containers(all=True) == pair.second.api.containers(all=True) == []


def test_the_range_of_ingress_is_accepted_and_then_no_container_starts(pair: Pair) -> None:
    pair.first.cli("network", "create", "--driver", "overlay", "--attachable", "--subnet", "10.0.0.0/24", "collides")
    refused = swarm.attempt(pair, "collides").result(timeout=90)
    assert (refused.subnet, refused.ingress) == ("", "10.0.0.0/24")
    assert refused.exit_code == 125
    assert "overlaps" in refused.log
    pair.first.cli("network", "rm", "collides")


def test_tasks_of_a_lost_machine_are_replaced_and_stay_where_they_are(pair: Pair) -> None:
    moved = swarm_service.failover(pair, replicas=4)
    assert moved.before == (2, 2)
    assert moved.after == moved.after_return == (4, 0)
    assert moved.lived_on == 2
    assert 0 < moved.down_after_s < moved.moved_after_s
    assert len(moved.names) == 4
