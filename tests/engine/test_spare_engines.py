"""Further engines beside the learner's own: broken and repaired at will, and gone at the end or after a crash."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import until

from docker_tutor import open_room
from docker_tutor.classroom import cleaning
from docker_tutor.classroom.room import Room
from docker_tutor.engines import spare
from docker_tutor.engines.base import Engine
from docker_tutor.engines.private import stopping
from docker_tutor.errors import CapabilityMissing, EngineStartFailed, RoomClosed
from docker_tutor.paths import data_folder, runtime_folder

pytestmark = pytest.mark.engine

IMAGE = "alpine:3.19"
KILLED = """
import os, signal
from docker_tutor.engines.spare import spare
with spare("lost"):
    {first}
    os.kill(os.getpid(), signal.SIGKILL)
"""
KILL_WHO_WATCHES = """
    import psutil
    (watching,) = (each for each in psutil.Process().children() if "docker_tutor.engines.sparewatch" in each.cmdline())
    watching.kill()
"""
GONE_WITHIN_S = 30


@pytest.fixture(scope="module")
def room(engine: Engine) -> Iterator[Room]:
    with open_room("02-spares", images=[IMAGE]) as room:
        yield room


def _folders() -> list[Path]:
    return [*runtime_folder().glob("spare-*"), *data_folder().glob("spare-*")]


def test_a_spare_room_runs_containers_that_the_first_one_does_not_see_and_leaves_nothing(room: Room) -> None:
    with room.spare("one", images=[IMAGE], settings={"live-restore": True}) as other:
        assert other.cli("run", "--rm", IMAGE, "echo", "here").stdout == "here\n"
        assert other.api.info()["LiveRestoreEnabled"]
        assert other.capabilities.disposable
        other.cli("run", "-d", "--name", "alone", IMAGE, "sleep", "600")
        other.wait.running("alone")
        assert not room.api.containers(all=True, filters={"name": "alone"})
        layout = other.engine.layout
    assert stopping.leftovers(layout) == []
    assert _folders() == []
    with pytest.raises(RoomClosed):
        other.cli("ps")


def test_a_spare_is_taken_down_with_the_room_that_asked_for_it(engine: Engine) -> None:
    with open_room("02-asks") as asking:
        other = asking.spare("late")
        layout = other.engine.layout
        assert layout.runtime.exists()
    assert stopping.leftovers(layout) == []
    assert not layout.runtime.exists()


def test_a_daemon_that_was_killed_comes_back_with_its_settings(engine: Engine) -> None:
    with spare.spare("kill", settings={"labels": ["mine=1"]}) as other:
        first = other.daemon_pid
        other.kill_daemon()
        with pytest.raises(EngineStartFailed):
            other.kill_daemon()
        other.start_daemon()
        assert other.daemon_pid != first
        assert other.status().state == "running"


def _killed(first: str) -> None:
    lost = subprocess.run([sys.executable, "-c", KILLED.format(first=first.strip())], check=False, env=dict(os.environ))
    assert lost.returncode == -signal.SIGKILL


def test_what_a_killed_process_had_goes_by_itself_and_what_lives_does_not(engine: Engine) -> None:
    with spare.spare("kept") as kept:
        _killed("pass")
        own = {kept.layout.runtime.parent, kept.layout.data.parent}
        assert until(lambda: set(_folders()) == own, GONE_WITHIN_S)
        assert kept.status().state == "running"
    assert _folders() == []


def test_what_was_killed_with_who_watched_it_is_found_and_removed_and_what_lives_is_not(engine: Engine) -> None:
    _killed(KILL_WHO_WATCHES)
    with spare.spare("kept") as kept:
        found = spare.abandoned()
        assert len(found) == 1
        assert list(cleaning.clean(None, dry_run=True).spares) == found
        assert spare.abandoned() == found
        assert list(cleaning.clean(None).spares) == found
        assert kept.status().state == "running"
    assert _folders() == []


def test_without_root_one_sentence_says_why_there_is_no_second_engine(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(CapabilityMissing, match="second engine beside yours"), spare.spare("none"):
        pytest.fail("it was made")
