"""What a container has of its own, on a real engine, read from where the engine is and from inside a container."""

import dataclasses
from collections.abc import Iterator

import pytest

from docker_tutor import open_room
from docker_tutor.classroom.room import Room
from docker_tutor.engines.base import Engine
from docker_tutor.errors import CommandFailed
from docker_tutor.topics import anatomy, namespaces, probes

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def room(engine: Engine) -> Iterator[Room]:
    with open_room("01-namespaces", images=["python:3.11-slim"]) as room:
        yield room


@pytest.fixture(params=[True, False], ids=["processes here", "processes elsewhere"])
def either_room(room: Room, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Room:
    """The same room as it is, and as one whose engine's processes this machine cannot see."""
    if not request.param:
        unseen = dataclasses.replace(room.capabilities, host_processes=False)
        monkeypatch.setitem(room.__dict__, "capabilities", unseen)
    return room


def test_a_container_shares_with_the_engine_what_the_course_says(either_room: Room) -> None:
    who = namespaces.sharing(either_room)
    assert {"user", "time"} <= who.shared("plain")
    assert not who.shared("plain") & {"pid", "net", "mnt", "uts", "ipc"}
    assert ("cgroup" in who.shared("plain")) == (either_room.capabilities.cgroup_version == 1)


def test_each_way_of_sharing_shares_one_namespace_more(room: Room) -> None:
    who = namespaces.sharing(room)
    plain = who.shared("plain")
    assert who.shared("joins pid", "plain") == plain | {"pid"}
    assert who.shared("joins net", "plain") == plain | {"net"}
    assert who.shared("host uts") == plain | {"uts"}


def test_one_process_has_a_number_on_each_side(either_room: Room) -> None:
    one = namespaces.pid_one(either_room)
    assert one.pid_inside == 1
    assert one.pid_outside > 1
    assert one.parent_outside != one.pid_outside
    assert one.visible_outside > len(one.visible_inside) >= 1


def test_a_host_name_changes_in_one_container_only(room: Room) -> None:
    names = namespaces.hostname(room, "renamed-by-a-test")
    assert names.refused
    assert names.inside == "renamed-by-a-test"
    assert names.inside not in {names.neighbour, names.outside_before}
    assert names.outside_before == names.outside_after


def test_a_message_queue_is_seen_by_those_who_join_the_namespace(room: Room) -> None:
    queue = namespaces.ipc(room)
    assert (queue.maker, queue.neighbour, queue.joined, queue.outside) == (True, False, True, False)


def test_root_inside_is_who_the_map_says(either_room: Room) -> None:
    root = namespaces.root(either_room)
    assert root.uid_inside == 0
    assert root.uid_outside == root.uid_map[0][1]
    assert 0 < root.capabilities_inside < root.capabilities_outside


def test_interfaces_and_mounts_are_its_own(either_room: Room) -> None:
    cables, mounted = namespaces.interfaces(either_room), namespaces.mounts(either_room)
    assert sorted(cables.inside.names) == ["eth0", "lo"]
    assert cables.inside.gateway in cables.outside.addresses
    assert (mounted.made, mounted.seen_outside, mounted.refused_without_capability) == (True, False, True)


def test_a_container_that_does_not_run_has_no_namespaces(room: Room) -> None:
    name = room.unique("ended")
    room.cli("run", "--name", name, probes.IMAGE, "true")
    with pytest.raises(CommandFailed, match="not running"):
        namespaces.matrix(room, name)
    room.cli("rm", name)


def test_the_shim_is_the_parent_and_no_runtime_stays(either_room: Room) -> None:
    tree = anatomy.process_tree(either_room)
    assert "shim" in tree.parent
    assert tree.runtime_gone
    assert tree.chain[-1].pid == 1
    assert "dockerd" in tree.engine


def test_a_container_is_measured_beside_a_plain_process(room: Room) -> None:
    costs = anatomy.compare(room, repeats=3, machines=())
    assert costs.container.kernel == costs.process.kernel
    assert costs.container.first_output_s is not None
    assert costs.process.first_output_s is not None
    assert costs.process.first_output_s < costs.container.first_output_s
    assert costs.virtual_machine is None


def test_a_plain_process_that_cannot_be_had_is_left_open(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(room.__dict__, "capabilities", dataclasses.replace(room.capabilities, host_processes=False))
    costs = anatomy.compare(room, repeats=1, machines=())
    assert costs.process.cpu_s is None
    assert costs.cpu_ratio is None
    assert costs.container.memory_bytes is not None


def test_nothing_is_left_of_the_demonstrations(room: Room) -> None:
    namespaces.pid_one(room)
    assert room.client.containers.list(all=True, filters={"label": f"docker-tutor.scope={room.scope}"}) == []
