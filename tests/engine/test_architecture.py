"""Chapter 2 on a real engine: who says what to whom, which processes there are, and what images and bundles are."""

from collections.abc import Iterator

import pytest

from docker_tutor import open_room
from docker_tutor.classroom.room import Room
from docker_tutor.engines import runtimes as programs
from docker_tutor.engines.base import Engine
from docker_tutor.errors import CommandFailed
from docker_tutor.topics import (
    bundles,
    containerd,
    conversation,
    daemons,
    distribution,
    life,
    log_drivers,
    oci,
    probes,
    processes,
    runtimes,
    tiny,
)
from docker_tutor.units import MiB

pytestmark = [pytest.mark.engine, pytest.mark.one_in(2)]

IMAGE = "alpine:3.19"


@pytest.fixture(scope="module")
def room(engine: Engine) -> Iterator[Room]:
    with open_room("02-architecture", images=[IMAGE, "registry:2"]) as room:
        yield room


@pytest.fixture
def asleep(room: Room) -> Iterator[str]:
    with probes.running(room, "asleep", "--memory", "64m", "--network", "none", image=IMAGE) as name:
        yield name


def test_three_ways_make_the_same_container(room: Room) -> None:
    ways = conversation.three_ways(room)
    assert ways.same
    assert {way.exit_code for way in ways.ways} == {3}
    assert ways.ways[2].requests == 4


def test_what_the_daemon_refuses_by_hand_is_said_in_its_own_words(room: Room) -> None:
    with pytest.raises(CommandFailed, match=r"POST /containers/create.* was refused"):
        conversation.by_hand(room, "-")


def test_a_run_attaches_before_it_starts(room: Room) -> None:
    paths = conversation.listen(room, "run", "--rm", "--network", "none", IMAGE, "true").paths()
    assert paths.index("POST /containers/{id}/attach") < paths.index("POST /containers/{id}/start")


def test_the_chain_from_daemon_to_program_is_found_and_holds_no_runc(room: Room, asleep: str) -> None:
    chain = processes.chain(room, asleep)
    assert [process.role for process in chain.processes] == ["dockerd", "containerd", "shim", "container"]
    assert chain.role("container").parent_pid == chain.role("shim").pid
    assert chain.runc_pids == ()


def test_a_container_that_has_ended_has_no_chain(room: Room) -> None:
    with probes.running(room, "over", image=IMAGE, command=("true",)) as name:
        room.wait.exit(name)
        with pytest.raises(CommandFailed, match="not running"):
            processes.chain(room, name)


def test_the_limit_is_in_the_runtime_config(room: Room, asleep: str) -> None:
    config = processes.runtime_config(room, asleep)
    assert config["linux"]["resources"]["memory"]["limit"] == 64 * MiB
    frame = processes.config_frame(config)
    assert str(64 * MiB) in set(frame["value"])


def test_the_life_of_a_run_has_every_lane_and_one_order(room: Room) -> None:
    one = life.run(room)
    assert {span.lane for span in one.spans} == set(life.LANES)
    create = next(span for span in one.lane("runc") if span.label == "runc create")
    program = one.lane("program")[0]
    assert create.end_us is not None
    assert create.end_us <= program.start_us


def test_dockerd_and_containerd_name_the_same_containers(room: Room, asleep: str) -> None:
    both = containerd.both_sides(room)
    assert both.same_containers
    assert "networks" not in both.containerd_commands
    assert {"containers", "images", "tasks"} <= both.containerd_commands
    assert (both.containerd_images > 0) == (both.image_store == "containerd")


def test_the_shim_answers_for_itself(room: Room, asleep: str) -> None:
    answer, chain = containerd.shim_answer(room, asleep), processes.chain(room, asleep)
    assert (answer.shim_pid, answer.task_pid) == (chain.role("shim").pid, chain.role("container").pid)


def test_a_daemon_takes_its_containers_back_only_with_live_restore(room: Room) -> None:
    endings = daemons.end_daemons(room)
    assert [ending.unchanged for ending in endings.endings] == [True, True, False, False]
    assert [ending.alive_without_daemon for ending in endings.endings] == [True, True, True, False]
    assert [ending.status for ending in endings.endings] == ["running", "running", "exited", "exited"]
    assert all(before != after for before, after in (ending.daemon_pids for ending in endings.endings))


def test_each_logging_driver_keeps_what_the_course_says(room: Room) -> None:
    kept = log_drivers.compare(room, lines=200)
    assert (
        kept.of("json-file").read_back_bytes == kept.of("local").read_back_bytes == kept.of("json-file").written_bytes
    )
    assert kept.of("none").read_back_bytes == 0
    assert kept.of("none").complaint
    if room.capabilities.host_layers:
        assert (kept.of("json-file").file_bytes or 0) > (kept.of("local").file_bytes or 0) > 0


def test_an_image_is_what_its_digests_say_and_one_can_be_written_by_hand(room: Room) -> None:
    walk = oci.walk(room, IMAGE)
    assert all(blob.true for blob in walk.blobs)
    assert walk.config["rootfs"]["diff_ids"] == [layer.diff_id for layer in walk.layers]
    program = tiny.hello(room.api.version()["Arch"], "a test")
    made = oci.assemble(room, f"{room.unique('written')}:1", {"hello": program}, ["/hello"])
    assert made.output == "a test"
    assert made.image_id == made.config_digest or room.capabilities.image_store == "containerd"


def test_runc_runs_a_bundle_that_docker_never_hears_of(room: Room) -> None:
    bundle = bundles.run_bundle(room)
    assert bundle.exit_code == 0
    assert bundles.HOSTNAME in bundle.output
    assert not bundle.seen_by_docker


def test_an_image_can_be_fetched_with_get_requests_alone(room: Room) -> None:
    pull = distribution.pull_by_hand(room, IMAGE)
    assert pull.true
    assert {answer.status for answer in pull.answers} == {200}
    assert not room.api.images(name="127.0.0.1:*/alpine")


def test_every_runtime_runs_or_says_why_not(room: Room) -> None:
    compared = runtimes.compare(room)
    assert {each.name for each in compared.tried} == {"runc", "crun", "runsc", "youki", "kata"}
    assert all(each.runs or each.reason for each in compared.tried)
    assert compared.of("runc").kernel == compared.kernel
    runsc = compared.of("runsc")
    assert not runsc.runs or (runsc.kernel != compared.kernel and runsc.outside == "runsc-sandbox")
    assert compared.of("youki").runs or programs.command_for_youki() in compared.of("youki").reason
