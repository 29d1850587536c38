"""The chapter on Dockerfiles, on a real engine: who runs, what is refused, sent, shipped and read."""

from collections.abc import Iterator

import pytest

from docker_tutor import archaeology, health, open_room, stopping
from docker_tutor.classroom.room import Room
from docker_tutor.engines.base import Engine
from docker_tutor.topics import bases, contexts, packing, privileges, users

pytestmark = pytest.mark.engine

IMAGES = ["alpine:3.19", "python:3.11-slim", "gcr.io/distroless/static-debian12"]


@pytest.fixture(scope="module")
def room(engine: Engine) -> Iterator[Room]:
    with open_room("03-dockerfiles", images=IMAGES) as room:
        yield room


def test_a_user_without_a_group_lands_in_nogroup_and_may_not_write_in_etc(room: Room) -> None:
    ids = users.identities(room)
    assert [row.group for row in ids.rows] == ["root", "nogroup", "app", ""]
    assert [row.writes_etc for row in ids.rows] == [True, False, False, False]


def test_a_secret_after_user_is_empty_unless_it_is_given_to_that_user(room: Room) -> None:
    reads = users.secret_after_user(room)
    assert [row.built for row in reads.rows] == [True, True, True, True, False]
    assert [row.length for row in reads.rows] == [0, 0, reads.token_length, 0, -1]


def test_what_is_named_in_dockerignore_is_neither_sent_nor_copied(room: Room) -> None:
    sent = contexts.compare(room)
    assert sent.without.sent_bytes > sent.folder_bytes
    assert sent.with_list.sent_bytes < 1000
    assert sent.with_list.arrived == (".dockerignore", "app.py")


def test_bytes_that_a_later_line_deletes_are_still_shipped(room: Room) -> None:
    packed = packing.split_and_combined(room, lists_bytes=3000, program_bytes=2000)
    assert packed.split.layer_bytes == (3000, 2000, 0)
    assert packed.combined.layer_bytes == (2000,)
    assert packed.split.visible_bytes == packed.combined.visible_bytes == 2000


def test_capabilities_and_filter_refuse_different_calls(room: Room) -> None:
    calls = privileges.refused_calls(room)
    assert "chown" in calls.way("--cap-drop ALL").refused
    assert "chown" not in calls.way("--cap-drop ALL --cap-add CHOWN").refused
    assert set(calls.way("--security-opt seccomp=no-mkdir.json").refused) == {"mount", "mkdir"}
    assert "mount" not in calls.way("--cap-add SYS_ADMIN").refused


def test_a_distroless_image_has_no_program_at_all(room: Room) -> None:
    compared = bases.compare(room, "alpine:3.19", "gcr.io/distroless/static-debian12")
    assert [base.shell for base in compared.images] == [True, False]
    assert compared.image("gcr.io/distroless/static-debian12").programs == 0


def test_a_token_is_found_after_every_way_but_the_secret_mount(room: Room) -> None:
    dug = archaeology.season(room)
    assert [method for method, found in dug.digs.items() if not found.finds] == ["secret mount"]


def test_the_exec_form_hears_the_signal_and_ends_by_itself(room: Room) -> None:
    stops = stopping.stop_forms(room, grace_s=2)
    assert stops.form("exec form").exit_code == stops.form("shell form with exec").exit_code == 0
    assert stops.form("exec form").said_goodbye


def test_health_goes_from_starting_to_healthy_to_unhealthy_and_back(room: Room) -> None:
    timeline = health.through_sickness(room, interval_s=0.3, retries=2)
    assert [state for _at, state in timeline.states] == ["starting", "healthy", "unhealthy", "healthy"]
    assert timeline.still_running
    assert (timeline.interval_s, timeline.retries) == (0.3, 2)
