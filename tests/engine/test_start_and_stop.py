"""`start` and `stop` as a learner types them, in a copy of the checkout with a home folder of its own."""

import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from learner import WITHIN_S, Course, copy_of_the_course

pytestmark = [pytest.mark.engine, pytest.mark.one_in(2)]


@pytest.fixture
def course(tmp_path: Path) -> Iterator[Course]:
    made = Course.made(tmp_path, f"st{os.getpid()}")
    copy_of_the_course(made.checkout, "docker_tutor")
    (made.checkout / "notebooks").mkdir()
    empty = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (made.checkout / "notebooks" / "00-start-here.ipynb").write_text(json.dumps(empty))
    yield made
    made.put_away()


def test_start_serves_on_loopback_behind_a_token_and_ctrl_c_leaves_nothing(course: Course, tmp_path: Path) -> None:
    process, url = course.start()
    address, _sep, token = url.partition("/lab?token=")
    assert address.startswith("http://127.0.0.1:")
    assert token not in " ".join(course.alive())
    assert _status(f"{address}/api/contents") == 403
    assert _status(f"{address}/api/contents?token={token}") == 200
    assert _listening_elsewhere(int(address.rpartition(":")[2])) == []

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=WITHIN_S)

    assert process.returncode == 0
    assert course.alive() == []
    found = [path.relative_to(tmp_path / "home") for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert [path for path in found if path.parts[:3] != (".local", "share", "docker-tutor")] == []


def test_stop_in_another_terminal_ends_start(course: Course) -> None:
    process, url = course.start()
    again = course.run("start")
    assert url in again.stdout
    stopped = course.run("stop", "--engine", "private")
    process.communicate(timeout=WITHIN_S)
    assert (stopped.returncode, process.returncode) == (0, 0)
    assert course.alive() == []


def test_stop_clears_up_after_a_start_that_was_killed(course: Course) -> None:
    process, _url = course.start()
    process.kill()
    process.communicate(timeout=WITHIN_S)
    assert course.alive() != []
    assert course.run("stop", "--engine", "private").returncode == 0
    assert course.alive() == []


def test_stop_when_nothing_is_open_is_no_error(course: Course) -> None:
    stopped = course.run("stop", "--engine", "private")
    assert stopped.returncode == 0
    assert "not open" in stopped.stderr


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url) as answer:  # noqa: S310 (our own address)
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code


def _listening_elsewhere(port: int) -> list[str]:
    listening = (found.laddr for found in psutil.net_connections("inet") if found.status == psutil.CONN_LISTEN)
    return [place.ip for place in listening if place.port == port and place.ip != "127.0.0.1"]
