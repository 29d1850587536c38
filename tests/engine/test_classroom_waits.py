"""Waiting for real containers: what happens in time, what does not, and what no longer can."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from docker.models.containers import Container

from docker_tutor import open_room
from docker_tutor.classroom.room import Room
from docker_tutor.engines.base import Engine
from docker_tutor.errors import WaitTimedOut

pytestmark = pytest.mark.engine

IMAGE = "alpine:3.19"
SECOND_NS = 1_000_000_000


@pytest.fixture(scope="module")
def room(engine: Engine) -> Iterator[Room]:
    opened = open_room("00-waits", images=[IMAGE])
    yield opened
    opened.close()


def started(room: Room, script: str, **options: Any) -> Container:
    return room.client.containers.run(IMAGE, ["sh", "-c", script], detach=True, name="one", **options)


def healthcheck(test: str) -> dict[str, object]:
    return {"test": ["CMD-SHELL", test], "interval": SECOND_NS // 5, "timeout": SECOND_NS, "retries": 2}


def test_an_exit_is_seen_with_its_status(room: Room) -> None:
    assert room.wait.exit(started(room, "exit 3"), within_s=10) == 3


def test_the_exit_of_a_container_that_removes_itself_is_seen_too(room: Room) -> None:
    container = started(room, "sleep 0.5; exit 4", auto_remove=True)
    assert room.wait.exit(container, within_s=10) == 4


def test_a_container_that_was_never_started_has_not_exited(room: Room) -> None:
    container = room.client.containers.create(IMAGE, ["true"], name="one")
    with pytest.raises(WaitTimedOut, match=r"one was to exit within 0.2 s, and did not: it is created."):
        room.wait.exit(container, within_s=0.2)


def test_waiting_ends_in_time_and_tells_the_state_and_the_last_lines(room: Room) -> None:
    container = started(room, "for i in 1 2 3 4 5 6 7; do echo line $i; done; sleep 600")
    room.wait.log(container, "line 7")
    began = time.monotonic()
    with pytest.raises(WaitTimedOut) as late:
        room.wait.exit(container, within_s=0.5)
    assert 0.5 <= time.monotonic() - began < 2
    assert str(late.value) == (
        "one was to exit within 0.5 s, and did not: it is running.\n"
        "The last it wrote:\n  line 3\n  line 4\n  line 5\n  line 6\n  line 7"
    )


def test_a_line_is_found_by_text_or_pattern_and_returned_whole(room: Room) -> None:
    container = started(room, "printf 'star'; sleep 0.3; echo 'ted on port 8080'; sleep 600")
    assert room.wait.log(container, "started on", within_s=10) == "started on port 8080"
    assert room.wait.log("one", re.compile(r"port \d+"), within_s=10) == "started on port 8080"


def test_a_line_that_can_no_longer_come_is_not_waited_for(room: Room) -> None:
    began = time.monotonic()
    with pytest.raises(WaitTimedOut, match=r"was to write “ready”, and no longer can: it is exited with 1"):
        room.wait.log(started(room, "echo no; exit 1"), "ready", within_s=30)
    assert time.monotonic() - began < 10


def test_a_line_that_does_not_come_is_given_up_in_time(room: Room) -> None:
    with pytest.raises(WaitTimedOut, match=r"was to write “ready” within 0.3 s, and did not: it is running"):
        room.wait.log(started(room, "sleep 600"), "ready", within_s=0.3)


def test_health_is_awaited(room: Room) -> None:
    container = started(room, "sleep 0.4; touch /ok; sleep 600", healthcheck=healthcheck("test -f /ok"))
    assert room.wait.healthy(container, within_s=20).health == "healthy"


def test_a_container_that_stays_unhealthy_tells_what_its_check_wrote(room: Room) -> None:
    container = started(room, "sleep 600", healthcheck=healthcheck("echo refused; exit 1"))
    with pytest.raises(WaitTimedOut, match=r"be healthy within 2 s, and did not: .*unhealthy \(refused\)"):
        room.wait.healthy(container, within_s=2)


def test_without_a_health_check_nothing_is_waited_for(room: Room) -> None:
    began = time.monotonic()
    with pytest.raises(WaitTimedOut, match="one was to be healthy, and no longer can: it is running"):
        room.wait.healthy(started(room, "sleep 600"), within_s=30)
    assert time.monotonic() - began < 5


def test_a_start_by_somebody_else_is_seen(room: Room) -> None:
    container = room.client.containers.create(IMAGE, ["sleep", "600"], name="one")
    room.cli("start", "one")
    assert room.wait.running(container, within_s=10).status == "running"


def test_nobody_waits_for_a_container_that_does_not_exist(room: Room) -> None:
    for wait in (room.wait.exit, lambda name: room.wait.log(name, "x")):
        with pytest.raises(WaitTimedOut, match="There is no container nobody to wait for"):
            wait("nobody")


def test_events_that_come_before_the_first_look_are_not_missed(room: Room) -> None:
    for _time in range(5):
        assert room.wait.exit(started(room, "exit 0"), within_s=10) == 0
