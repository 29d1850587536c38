"""What the chapter on Compose computes from an engine's answers, without an engine."""

import socket
from typing import Any

import pytest

from docker_tutor.topics.compose import Effect, Inventory
from docker_tutor.topics.compose_config import compare
from docker_tutor.topics.compose_projects import free_port
from docker_tutor.topics.compose_stack import Resources, Walk
from docker_tutor.topics.compose_timeline import from_events
from docker_tutor.topics.restarts import Comparison, Hit

NOTHING = Inventory({}, {}, {}, {})
UP = Inventory({"api-1": "running"}, {"api-1": "aa"}, {"net": "bridge"}, {"data": "local"})
ANEW = Inventory({"api-1": "running"}, {"api-1": "bb"}, {"net": "bridge"}, {"data": "local"})
DOWN = Inventory({}, {}, {}, {"data": "local"})


def _event(service: str, action: str, at_s: float) -> dict[str, Any]:
    attributes = {"com.docker.compose.service": service}
    return {"Action": action, "Actor": {"Attributes": attributes}, "timeNano": int(at_s * 1e9)}


def test_an_effect_names_what_came_and_what_went() -> None:
    came = Effect("docker compose up -d", NOTHING, UP, "")
    assert [change[:2] for change in came.changes] == [("container", "api-1"), ("network", "net"), ("volume", "data")]
    went = Effect("docker compose down", UP, DOWN, "")
    assert [change[:2] for change in went.changes] == [("container", "api-1"), ("network", "net")]


def test_a_container_in_the_place_of_another_is_a_change_and_a_state_as_before_is_none() -> None:
    assert Effect("", UP, ANEW, "").changes == (("container", "api-1", "running", "running (new)"),)
    assert Effect("", UP, UP, "").changes == ()


def test_a_timeline_counts_from_the_first_event_and_is_in_the_order_of_the_starts() -> None:
    events = [
        _event("app", "create", 10.1),
        _event("db", "create", 10.0),
        _event("db", "start", 10.5),
        _event("db", "health_status: healthy", 14.0),
        _event("app", "start", 14.2),
    ]
    line = from_events(events)
    assert [times.service for times in line.services] == ["db", "app"]
    assert line.service("db").healthy_s == pytest.approx(4.0)
    assert line.service("app").created_s == pytest.approx(0.1)
    assert line.service("app").healthy_s is None


def test_a_timeline_knows_from_composes_label_who_waits_for_whom() -> None:
    event = _event("app", "create", 10.0)
    named = "redis:service_started:false,db:service_healthy:false"
    event["Actor"]["Attributes"]["com.docker.compose.depends_on"] = named
    alone = _event("db", "create", 10.0)
    alone["Actor"]["Attributes"]["com.docker.compose.depends_on"] = ""
    line = from_events([event, alone])
    assert line.service("app").waits_for == ("db", "redis")
    assert line.service("db").waits_for == ()


def test_a_comparison_tells_a_list_that_grew_from_one_that_was_replaced() -> None:
    old = {"ports": ["1"], "image": "a", "debug": "no", "gone": 1}
    new = {"ports": ["1", "2"], "image": "a", "debug": "yes", "build": "."}
    found = compare(("old", old), ("new", new))
    rules = {difference.key: difference.rule for difference in found.differences}
    assert rules == {"ports": "appended", "debug": "replaced", "gone": "removed", "build": "added"}
    with pytest.raises(KeyError):
        found.at("image")


def test_a_walk_shows_where_no_database_runs() -> None:
    walk = Walk(
        (Effect("docker compose up -d", NOTHING, UP, ""), Effect("docker compose down", UP, DOWN, "")), (2, None)
    )
    assert list(walk.to_frame()["rows in PostgreSQL"]) == ["2", "—"]
    assert list(walk.to_frame()["volumes"]) == [1, 1]


def test_what_no_control_group_holds_is_a_dash() -> None:
    held = Resources((("reservations.cpus", 0.5, None, None), ("limits.cpus", 2.0, 2.0, 2.0)))
    assert held.kernel("limits.cpus") == 2
    assert held.kernel("reservations.cpus") is None
    assert list(held.to_frame().iloc[0]) == ["reservations.cpus", "0.5", "—", "—"]


def test_a_restart_is_told_with_its_delay() -> None:
    back = Hit("it exits", died=True, exit_code=3, restarted=True, restart_s=0.4, state="running")
    down = Hit("docker kill", died=True, exit_code=137, restarted=False, restart_s=None, state="exited")
    table = Comparison("always", (back, down)).to_frame()
    assert list(table["restarted"]) == ["yes, after 400 ms", "no"]
    assert Comparison("always", (back, down)).by("docker kill") is down


def test_a_port_that_is_taken_gives_way_to_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) not in (0, port)
