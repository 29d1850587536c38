"""`start` and `stop` as a learner types them, in a copy of the checkout with a home folder of its own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import psutil
import pytest

from docker_tutor import paths

pytestmark = pytest.mark.engine

INSTANCE = f"st{os.getpid()}"
WITHIN_S = 90


@dataclass
class Course:
    """A checkout that can be started."""

    checkout: Path
    environment: dict[str, str]

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "docker_tutor", *words]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            cwd=self.checkout,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=WITHIN_S,
        )

    def start(self) -> tuple["subprocess.Popen[str]", str]:
        words = self.command("start", "--no-browser", "--engine", "private", "--port", str(_free_port()))
        process = subprocess.Popen(
            words, cwd=self.checkout, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for line in process.stdout:
            if "http://" in line:
                return process, line.strip()
        assert process.stderr is not None
        pytest.fail(f"start ended before it served: {process.stderr.read()}")


@pytest.fixture
def course(tmp_path: Path) -> Iterator[Course]:
    checkout, home = tmp_path / "checkout", tmp_path / "home"
    home.mkdir()
    for name in ("docker_tutor", "notebooks"):
        (checkout / name).mkdir(parents=True)
    shutil.copytree(paths.checkout() / "docker_tutor", checkout / "docker_tutor", dirs_exist_ok=True)
    empty = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (checkout / "notebooks" / "00-start-here.ipynb").write_text(json.dumps(empty))
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("XDG_", "JUPYTER", "IPYTHON", "MPL", "DOCKER_"))
    }
    environment |= {
        "HOME": str(home),
        # The packages are the user's own, fetched once; everything else is made anew.
        "XDG_CACHE_HOME": str(platformdirs.user_cache_path()),
        "PYTHONPATH": str(checkout),
        "DOCKER_TUTOR_INSTANCE": INSTANCE,
    }
    made = Course(checkout, environment)
    yield made
    made.run("stop", "--engine", "private")
    made.run("engine", "down", "--purge", "--engine", "private")
    assert _alive() == []


def test_start_serves_on_loopback_behind_a_token_and_ctrl_c_leaves_nothing(course: Course, tmp_path: Path) -> None:
    process, url = course.start()
    address, _sep, token = url.partition("/lab?token=")
    assert address.startswith("http://127.0.0.1:")
    assert token not in " ".join(_alive())
    assert _status(f"{address}/api/contents") == 403
    assert _status(f"{address}/api/contents?token={token}") == 200
    assert _listening_elsewhere(int(address.rpartition(":")[2])) == []

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=WITHIN_S)

    assert process.returncode == 0
    assert _alive() == []
    found = [path.relative_to(tmp_path / "home") for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert [path for path in found if path.parts[:3] != (".local", "share", "docker-tutor")] == []


def test_stop_in_another_terminal_ends_start(course: Course) -> None:
    process, url = course.start()
    again = course.run("start")
    assert url in again.stdout
    stopped = course.run("stop", "--engine", "private")
    process.communicate(timeout=WITHIN_S)
    assert (stopped.returncode, process.returncode) == (0, 0)
    assert _alive() == []


def test_stop_clears_up_after_a_start_that_was_killed(course: Course) -> None:
    process, _url = course.start()
    process.kill()
    process.communicate(timeout=WITHIN_S)
    assert _alive() != []
    assert course.run("stop", "--engine", "private").returncode == 0
    assert _alive() == []


def test_stop_when_nothing_is_open_is_no_error(course: Course) -> None:
    stopped = course.run("stop", "--engine", "private")
    assert stopped.returncode == 0
    assert "not open" in stopped.stderr


def _alive() -> list[str]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = " ".join(process.info["cmdline"] or [])
        if f"/{INSTANCE}/" in words:
            found.append(words)
    return found


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


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
