"""Whatever is killed, the next `up` repairs it and the next `down` leaves nothing."""

import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest

from docker_tutor.engines.base import Engine
from docker_tutor.engines.private import state as states
from docker_tutor.engines.private.engine import PrivateEngine
from docker_tutor.engines.private.stopping import _strays, leftovers
from docker_tutor.processes import Process

pytestmark = [pytest.mark.engine, pytest.mark.one_in(2)]

Docker = Callable[..., str]


@pytest.fixture
def engine(engine_of_its_own: Callable[[str], PrivateEngine]) -> PrivateEngine:
    engine = engine_of_its_own("k")
    engine.up()
    return engine


def process(engine: PrivateEngine, name: str) -> Process:
    state = states.read(engine.layout.state)
    assert state is not None
    found = state.process(name)
    assert found is not None
    return found


def kill(engine: PrivateEngine, name: str) -> None:
    assert process(engine, name).end(signal.SIGKILL, 5)


def links() -> str:
    return subprocess.run(["ip", "-brief", "link"], capture_output=True, text=True, check=True).stdout


def run_elsewhere(engine: PrivateEngine, code: str, *, check: bool = True) -> int:
    """Run `code` in another Python, where `engine` is this engine; return its exit status."""
    layout = engine.layout
    whole = (
        "from pathlib import Path; from docker_tutor.engines.private import starting;"
        "from docker_tutor.engines.private.engine import PrivateEngine;"
        "from docker_tutor.engines.private.layout import Layout;"
        f"engine = PrivateEngine(Layout({layout.name!r}, Path({str(layout.runtime)!r}), Path({str(layout.data)!r})));"
    )
    return subprocess.run([sys.executable, "-c", whole + code], check=check).returncode


def test_up_again_returns_at_once_and_changes_nothing(engine: PrivateEngine) -> None:
    before = engine.layout.state.read_text(encoding="utf-8")
    engine.up()
    assert engine.layout.state.read_text(encoding="utf-8") == before
    assert engine.status().state == "running"


def test_two_that_start_it_at_once_start_one(engine: PrivateEngine) -> None:
    engine.down()
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: run_elsewhere(engine, "engine.up()"), range(2))) == [0, 0]
    names = [Path(f"/proc/{process.pid}/comm").read_text().strip() for process in _strays(engine.layout, None)]
    assert sorted(names) == ["containerd", "dockerd", "python", "slirp4netns"]


def test_down_leaves_no_process_mount_cgroup_or_socket(
    engine: PrivateEngine, docker_of: Callable[[Engine], Docker]
) -> None:
    docker = docker_of(engine)
    docker("run", "--detach", "tiny", "sleep", "600")
    docker("run", "--detach", "--network", "host", "tiny", "sleep", "600")
    paused = docker("run", "--detach", "--publish", "127.0.0.1::80", "tiny", "sleep", "600")
    docker("pause", paused)
    assert leftovers(engine.layout)
    engine.down()
    assert leftovers(engine.layout) == []
    assert not engine.layout.runtime.exists()
    assert engine.status().state == "stopped"


def test_data_outlives_down_and_not_a_purge(engine: PrivateEngine, docker_of: Callable[[Engine], Docker]) -> None:
    docker = docker_of(engine)
    engine.down()
    engine.up()
    assert docker("images", "--quiet", "tiny")
    engine.down(purge=True)
    assert not engine.layout.data.exists()


@pytest.mark.parametrize("name", ["dockerd", "containerd", "slirp4netns"])
def test_up_repairs_what_was_killed(engine: PrivateEngine, docker_of: Callable[[Engine], Docker], name: str) -> None:
    docker = docker_of(engine)
    docker("run", "--detach", "--publish", "127.0.0.1::80", "tiny", "sleep", "600")
    kill(engine, name)
    assert engine.status().state == "broken"
    assert name in engine.status().detail
    engine.up()
    assert engine.status().state == "running"
    assert docker("run", "--rm", "tiny", "echo", "again") == "again"


def test_a_killed_keeper_is_replaced_and_containers_run_on(
    engine: PrivateEngine, docker_of: Callable[[Engine], Docker]
) -> None:
    docker = docker_of(engine)
    container = docker("run", "--detach", "tiny", "sleep", "600")
    daemon = process(engine, "dockerd")
    kill(engine, "keeper")
    assert engine.status().state == "broken"
    engine.up()
    assert engine.status().state == "running"
    assert process(engine, "dockerd") == daemon
    assert container.startswith(docker("ps", "--quiet"))


@pytest.mark.parametrize("names", [["keeper"], ["dockerd"], ["slirp4netns"], ["keeper", "dockerd", "containerd"]])
def test_down_cleans_up_after_a_kill(
    engine: PrivateEngine, docker_of: Callable[[Engine], Docker], names: list[str]
) -> None:
    docker = docker_of(engine)
    docker("run", "--detach", "--publish", "127.0.0.1::80", "tiny", "sleep", "600")
    docker("run", "--detach", "--network", "host", "tiny", "sleep", "600")
    for name in names:
        kill(engine, name)
    engine.down()
    assert leftovers(engine.layout) == []


def test_down_works_without_the_state_file(engine: PrivateEngine, docker_of: Callable[[Engine], Docker]) -> None:
    docker_of(engine)("run", "--detach", "tiny", "sleep", "600")
    engine.layout.state.write_text("{ half", encoding="utf-8")
    assert engine.status().state == "broken"
    engine.down()
    assert leftovers(engine.layout) == []


def test_a_recorded_pid_that_someone_else_has_now_is_left_alone(engine: PrivateEngine) -> None:
    with subprocess.Popen(["sleep", "600"]) as stranger:
        state = states.read(engine.layout.state)
        assert state is not None
        kill(engine, "keeper")
        state.processes["keeper"] = Process(stranger.pid, 1)
        states.write_json(engine.layout.state, asdict(state))
        engine.down()
        assert stranger.poll() is None
        stranger.kill()


def test_a_keeper_that_is_asked_to_end_takes_the_engine_with_it(engine: PrivateEngine) -> None:
    assert process(engine, "keeper").end(signal.SIGTERM, 20)
    assert leftovers(engine.layout) == []
    assert not engine.layout.runtime.exists()


def test_an_interrupted_start_leaves_nothing(engine: PrivateEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.down()

    def interrupt(*_args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("docker_tutor.engines.private.starting._run_keeper", interrupt)
    with pytest.raises(KeyboardInterrupt):
        engine.up()
    assert leftovers(engine.layout) == []
    assert not engine.layout.runtime.exists()


def test_a_start_that_is_killed_half_way_is_cleaned_up_by_down(engine: PrivateEngine) -> None:
    engine.down()
    killed = run_elsewhere(
        engine, "import os; starting._run_keeper = lambda *a: os.kill(os.getpid(), 9); engine.up()", check=False
    )
    assert killed == -signal.SIGKILL
    assert leftovers(engine.layout)
    assert engine.status().state == "broken"
    engine.down()
    assert leftovers(engine.layout) == []


def test_nothing_of_the_machine_is_left_changed(engine: PrivateEngine) -> None:
    engine.down()
    before = links()
    engine.up()
    engine.down()
    assert links() == before


def test_a_started_engine_outlives_the_process_that_started_it(engine: PrivateEngine) -> None:
    engine.down()
    run_elsewhere(engine, "engine.up()")
    assert engine.status().state == "running"
