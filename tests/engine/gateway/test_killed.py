"""What is left when a kernel or a gateway is killed: nothing, or what `cleanup` finds."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from docker_tutor.engines.base import Engine
from docker_tutor.gateway import cleanup

PARENT = """
import os, sys
from pathlib import Path
from docker_tutor.gateway import Gateway
gateway = Gateway.start(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
print(gateway.pid, flush=True)
sys.stdin.read()
"""

pytestmark = pytest.mark.engine

# The fixtures' own types live in conftest.py, which a test module cannot import.
Docker = Callable[..., str]
Door = Any
Opened = Callable[..., Door]


def wait_for_end(pid: int, within_s: float = 30) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select.select([descriptor], [], [], within_s)[0], "it still runs"
    os.close(descriptor)


def start_parent(engine: Engine, scope: str, folder: Path) -> tuple["subprocess.Popen[str]", int]:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, engine.address, scope, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    return parent, int(parent.stdout.readline())


def close(process: "subprocess.Popen[str]") -> None:
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_a_killed_parent_leaves_nothing(
    private_engine: Engine, direct: Docker, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("d")
    before = direct("ps", "-aq"), direct("network", "ls", "-q"), direct("volume", "ls", "-q")
    parent, gateway = start_parent(private_engine, "t-orphan", folder)
    environment = direct.environment | {"DOCKER_HOST": f"unix://{folder}/docker.sock"}
    for words in (
        ["network", "create", "gw-orphan"],
        ["run", "-d", "--name", "gw-orphan", "--network", "gw-orphan", "-v", "gw-orphan:/d", "tiny", "sleep", "600"],
    ):
        subprocess.run(["docker", *words], env=environment, check=True, capture_output=True)
    assert len(cleanup.list_scope(private_engine.address, "t-orphan")) == 3
    os.killpg(parent.pid, signal.SIGKILL)  # as a kernel restart does
    close(parent)
    wait_for_end(gateway)
    assert (direct("ps", "-aq"), direct("network", "ls", "-q"), direct("volume", "ls", "-q")) == before
    assert not (folder / "docker.sock").exists()
    assert "t-orphan" not in {entry.scope for entry in cleanup.live_scopes()}


def test_a_killed_gateway_is_found_and_tidied_up_after(
    opened: Opened, private_engine: Engine, direct: Docker, build_folder: Path
) -> None:
    living, door = opened(), opened()
    living("run", "-d", "--name", "gw-living", "tiny", "sleep", "600")
    door("run", "-d", "--name", "gw-dead", "-v", "gw-dead:/d", "tiny", "sleep", "600")
    door("buildx", "build", "-t", "gw-dead:1", str(build_folder))
    os.kill(door.gateway.pid, signal.SIGKILL)
    door.gateway._process.wait()
    dead = cleanup.dead_scopes(private_engine.address)
    assert door.gateway.scope in dead
    assert living.gateway.scope not in dead
    planned = cleanup.remove_scope(private_engine.address, door.gateway.scope, dry_run=True)
    assert (planned.containers, planned.volumes, planned.images) == (("gw-dead",), ("gw-dead",), ("gw-dead:1",))
    assert direct("ps", "-q", "--filter", "name=gw-dead")  # a dry run changes nothing
    removed = cleanup.remove_dead(private_engine.address)
    assert door.gateway.scope in {cleaned.scope for cleaned in removed}
    assert direct("ps", "-aq", "--filter", "name=gw-dead") == ""
    assert direct("images", "-q", "gw-dead") == ""
    assert direct("ps", "-q", "--filter", "name=gw-living")
    assert door.gateway.scope not in cleanup.dead_scopes(private_engine.address)


def test_an_interrupt_of_the_whole_group_does_not_end_a_gateway(
    private_engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    parent, gateway = start_parent(private_engine, "t-interrupt", tmp_path_factory.mktemp("d"))
    os.kill(gateway, signal.SIGINT)
    assert "t-interrupt" in {entry.scope for entry in cleanup.live_scopes()}
    parent.kill()
    close(parent)
    wait_for_end(gateway)


def test_a_gateway_told_to_end_tidies_up_first(door: Door, private_engine: Engine) -> None:
    door("run", "-d", "--name", "gw-term", "tiny", "sleep", "600")
    door.gateway._process.terminate()
    door.gateway._process.wait(30)
    assert len(cleanup.list_scope(private_engine.address, door.gateway.scope)) == 0
