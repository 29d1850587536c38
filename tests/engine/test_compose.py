"""Projects, restart policies and variables on a real engine."""

from collections.abc import Iterator

import pytest

from docker_tutor import open_room
from docker_tutor.classroom.room import Room
from docker_tutor.engines.base import Engine
from docker_tutor.topics import compose, compose_config, compose_env, compose_timeline, restarts

pytestmark = [pytest.mark.engine, pytest.mark.one_in(2)]

PROJECT = """services:
  app:
    image: python:3.11-slim
    command: sleep 600
    stop_signal: SIGKILL
    depends_on: {db: {condition: service_healthy}}
  db:
    image: python:3.11-slim
    command: sh -c 'sleep 1; touch /ready; sleep 600'
    stop_signal: SIGKILL
    volumes: ["kept:/kept"]
    healthcheck: {test: [CMD, test, -e, /ready], interval: 300ms, retries: 100}
volumes: {kept: {}}
"""


@pytest.fixture(scope="module")
def room(engine: Engine) -> Iterator[Room]:
    with open_room("05-compose", images=["python:3.11-slim"]) as room:
        yield room


def test_a_service_starts_when_the_other_is_healthy_and_down_keeps_the_volume(room: Room) -> None:
    folder = room.folder / "pair"
    folder.mkdir()
    (folder / "compose.yaml").write_text(PROJECT, encoding="utf-8")
    line = compose_timeline.up(room, "pair", folder=folder)
    healthy, started = line.service("db").healthy_s, line.service("app").started_s
    assert healthy is not None
    assert started is not None
    assert started > healthy
    down = compose.effect(room, "pair", "down", folder=folder)
    assert (down.after.containers, down.after.networks) == ({}, {})
    assert list(down.after.volumes) == ["kept"]
    assert compose.effect(room, "pair", "down", "-v", folder=folder).after.volumes == {}


def test_the_policy_decides_who_comes_back_and_a_kill_by_hand_switches_it_off(room: Room) -> None:
    acts = restarts.compare(room, "unless-stopped")
    assert [hit.way for hit in acts.hits if hit.restarted] == [restarts.FROM_OUTSIDE, restarts.EXITS]
    assert not acts.by(restarts.FROM_INSIDE).died
    assert not any(hit.restarted for hit in restarts.compare(room, "no").hits)


def test_each_place_beats_the_one_before_it(room: Room) -> None:
    seen = compose_env.precedence(room).seen
    assert seen == ["image", "image", "env_file", "environment", ".env", "shell", "run"]


def test_a_model_names_no_folder_of_this_machine(room: Room) -> None:
    folder = room.folder / "merged"
    folder.mkdir()
    (folder / "compose.yaml").write_text("services: {a: {build: .}}", encoding="utf-8")
    assert compose_config.model(room, folder=folder)["services"]["a"]["build"]["context"] == "."
