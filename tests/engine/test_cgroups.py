"""Limits on a real engine: what the kernel's files say, and what happens to a program that meets them."""

from collections.abc import Iterator

import pytest
from docker.errors import APIError, NotFound

from docker_tutor import MiB, open_room
from docker_tutor.classroom.room import Room
from docker_tutor.engines.base import Engine
from docker_tutor.topics import _cgroupfs, cgroups, stats

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def opened(engine: Engine) -> Iterator[Room]:
    with open_room("01-cgroups", images=["python:3.11-slim"]) as room:
        yield room


@pytest.fixture
def room(opened: Room) -> Iterator[Room]:
    """A room in which nothing is left of a test."""
    yield opened
    own = {"label": f"docker-tutor.scope={opened.scope}"}
    assert opened.client.containers.list(all=True, filters=own) == []


def test_a_program_that_asks_for_too_much_is_killed_at_its_limit(room: Room) -> None:
    death = cgroups.memory_limit(room, limit_bytes=32 * MiB, ask_bytes=64 * MiB)
    assert (death.limit_bytes, death.swap_bytes, death.limit_file[:14]) == (32 * MiB, 0, "/sys/fs/cgroup")
    assert (death.exit_code, death.oom_killed, death.oom_kills) == (137, True, 1)
    assert (death.allocated, death.finished) == (True, False)
    assert 30 * MiB <= death.peak_bytes <= 32 * MiB


def test_a_program_that_stays_below_its_limit_lives(room: Room) -> None:
    life = cgroups.memory_limit(room, limit_bytes=64 * MiB, ask_bytes=16 * MiB)
    assert (life.exit_code, life.oom_killed, life.oom_kills, life.finished) == (0, False, 0, True)
    assert 16 * MiB <= life.peak_bytes < 64 * MiB
    assert len(life.samples) >= 5


def test_swap_is_what_memory_swap_leaves_beside_memory(room: Room) -> None:
    life = cgroups.memory_limit(room, limit_bytes=32 * MiB, ask_bytes=8 * MiB, memory_swap_bytes=96 * MiB)
    assert life.swap_bytes in {64 * MiB, None}


def test_a_limit_that_the_engine_refuses_leaves_nothing_behind(room: Room) -> None:
    with pytest.raises(APIError, match="Minimum memory limit"):
        cgroups.memory_limit(room, limit_bytes=1 * MiB, ask_bytes=2 * MiB)


def test_inside_the_whole_machine_is_seen_whatever_the_limit(room: Room) -> None:
    view = cgroups.memory_seen_inside(room, limit_bytes=32 * MiB)
    assert view.limit_bytes == 32 * MiB
    assert view.total_inside_bytes == view.engine_total_bytes


def test_a_quota_is_kept_and_its_waits_are_seen(room: Room) -> None:
    quota = cgroups.cpu_quota(room, cpus=(0.1, None), seconds=1)
    slow, free = quota.lanes
    assert (slow.quota_us, slow.period_us, free.quota_us) == (10_000, 100_000, None)
    assert slow.used_cpus <= 0.13
    assert slow.throttled_periods >= 1
    assert len(slow.throttled) >= 1
    assert (free.throttled_periods, free.throttled) == (0, ())
    assert slow.answered_in_a_wait == 0
    assert min(len(slow.replies), len(free.replies)) >= 20


def test_more_cpus_than_there_are_is_refused(room: Room) -> None:
    with pytest.raises(APIError, match=r"(?i)range of CPUs"):
        cgroups.cpu_quota(room, cpus=(1000.0,), seconds=1)


def test_one_cpu_is_divided_as_the_weights_read_back_say(room: Room) -> None:
    split = cgroups.cpu_shares(room, shares=(2048, 512), seconds=1.5)
    assert split.containers[0].weight > split.containers[1].weight
    assert split.measured(0) == pytest.approx(split.expected(0), abs=0.06)


def test_forks_beyond_the_limit_are_refused_and_counted(room: Room) -> None:
    forks = cgroups.pids_limit(room, limit=8, attempts=12)
    assert (forks.limit, forks.most_processes, forks.refusals) == (8, 8, 5)
    assert forks.refused_by_kernel >= 1


def test_limits_are_the_same_read_from_here_and_from_a_container_that_watches(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"mem_limit": 64 * MiB, "memswap_limit": 96 * MiB, "nano_cpus": 500_000_000, "pids_limit": 30}
    command = ["sleep", "600"]
    container = room.client.containers.run("python:3.11-slim", command, detach=True, cpu_shares=512, **settings)
    try:
        here = cgroups.limits(room, str(container.id))
        monkeypatch.setattr(_cgroupfs, "file", lambda *_arguments: None)
        there = cgroups.limits(room, str(container.id))
    finally:
        container.remove(force=True)
    assert here == there
    assert (there.memory_bytes, there.cpus, there.pids) == (64 * MiB, 0.5, 30)
    assert there.swap_bytes in {32 * MiB, None}
    assert there.cpu_weight in there.weights_for(512)


def test_limits_of_a_container_that_is_not_there(room: Room) -> None:
    with pytest.raises(NotFound):
        cgroups.limits(room, "no-such-container")


def test_stats_show_what_is_used_and_end_with_the_container(room: Room) -> None:
    source = "x = bytearray(20 << 20)\nwhile True: pass"
    settings = {"nano_cpus": 300_000_000, "mem_limit": 64 * MiB}
    container = room.client.containers.run("python:3.11-slim", ["python", "-c", source], detach=True, **settings)
    stream = stats.stream(room, str(container.id))
    try:
        first, second = next(stream), next(stream)
        container.remove(force=True)
        assert list(stream) == []
    finally:
        stream.close()
    assert (first.memory_limit_bytes, first.processes) == (64 * MiB, 1)
    assert second.time_s > first.time_s
    assert second.cpus <= 0.36
    assert second.memory_bytes >= 20 * MiB
