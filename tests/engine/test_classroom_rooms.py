"""Rooms on a real engine: opened, used, left, killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest
from waiting import until

from docker_tutor import open_room, paths
from docker_tutor.classroom import cleaning, current
from docker_tutor.classroom import room as room_module
from docker_tutor.classroom.room import Room
from docker_tutor.engines.base import Engine
from docker_tutor.errors import CapabilityMissing, CommandFailed, EngineNotFound, RoomClosed
from docker_tutor.gateway import cleanup
from docker_tutor.gateway.labels import SCOPE

pytestmark = pytest.mark.engine

IMAGE = "alpine:3.19"
# A kernel in miniature: opens a room, makes something of each kind, says so, and waits to be told to go on.
KERNEL = f"""
import subprocess, sys
from docker_tutor import open_room
room = open_room("01-twice", images=["{IMAGE}"])
typed = '''docker volume create data
docker network create --internal lan
docker run -d --name web --network lan -v data:/d {IMAGE} sleep 600
docker run --rm --network lan {IMAGE} ping -c1 -w5 web'''
done = subprocess.run(["bash", "-ec", typed], capture_output=True, text=True)
print(room.scope, done.returncode, done.stderr.replace("\\n", " "), flush=True)
sys.stdin.readline()
room.close()
"""


@pytest.fixture
def direct(engine: Engine) -> Iterator[docker.DockerClient]:
    """Speak to the daemon itself, past every gateway; and see to it that the test leaves nothing on it."""
    client = docker.DockerClient(base_url=engine.address)
    before = listing(client)
    yield client
    room = current.room()
    if isinstance(room, Room):
        room.close()
    assert listing(client) == before
    client.close()


def listing(client: docker.DockerClient) -> dict[str, set[str]]:
    """List what is on the engine, but for what rooms that are open elsewhere have on it."""
    living = {entry.scope for entry in cleanup.live_scopes()}
    every = {
        "containers": client.api.containers(all=True),
        "networks": client.api.networks(),
        "volumes": client.api.volumes()["Volumes"] or [],
    }
    return {
        kind: {one.get("Id") or one["Name"] for one in found if (one["Labels"] or {}).get(SCOPE) not in living}
        for kind, found in every.items()
    }


def of_scope(client: docker.DockerClient, scope: str) -> int:
    wanted = {"label": f"{SCOPE}={scope}"}
    # The lists alone: the SDK's own also inspects each, and one may be removed in between.
    containers, networks = client.api.containers(all=True, filters=wanted), client.api.networks(filters=wanted)
    return len(containers) + len(networks) + len(client.api.volumes(filters=wanted)["Volumes"] or [])


@pytest.fixture
def kernel(engine: Engine) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    started: list[subprocess.Popen[str]] = []

    def start(code: str = KERNEL) -> "subprocess.Popen[str]":
        # Who runs the tests under `nohup` has them all ignore SIGHUP.
        heard = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
        process = subprocess.Popen(
            [sys.executable, "-c", heard + code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/"
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def said(process: "subprocess.Popen[str]") -> str:
    """Return the scope that a kernel in miniature has opened, once it has made its things."""
    assert process.stdout is not None
    scope, code, errors = process.stdout.readline().rstrip("\n").split(" ", 2)
    assert (code, errors) == ("0", "")
    return scope


def typed(command: str) -> str:
    done = subprocess.run(["bash", "-ec", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_typed_commands_the_sdk_and_the_command_line_reach_the_same_engine(direct: docker.DockerClient) -> None:
    room = open_room("00-test", images=[IMAGE])
    typed(f"docker run -d --name web {IMAGE} sleep 600")
    found = room.client.containers.get("web")
    assert room.cli("ps", "--filter", "name=web", "--format", "{{.ID}}", "--no-trunc").stdout.strip() == found.id
    assert direct.containers.get(str(found.id)).labels[SCOPE] == room.scope
    assert any("/containers/create" in call.path for call in room.calls())


def test_leaving_gives_everything_back_and_may_be_repeated(direct: docker.DockerClient, tmp_path: Path) -> None:
    before, folder = dict(os.environ), Path.cwd()
    room = open_room("00-test", images=[IMAGE])
    assert Path.cwd() == room.folder
    assert room.folder.name == "00-test"
    assert os.environ["DOCKER_HOST"] == room.address
    Path("Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    room.close()
    room.close()
    assert (dict(os.environ), Path.cwd()) == (before, folder)
    assert not room.folder.parent.exists()
    assert not (paths.runtime_folder() / "scopes" / room.scope).exists()
    assert repr(room) == f"<Room 00-test ({room.scope}): closed>"
    for use in (lambda: room.client, lambda: room.cli("ps"), room.calls):
        with pytest.raises(RoomClosed, match="Room 00-test is closed"):
            use()


def test_a_cell_can_be_run_twice(direct: docker.DockerClient) -> None:
    room = open_room("00-test", images=[IMAGE])
    for _time in range(2):
        typed(f"docker run -d --name web {IMAGE} sleep 600; docker network create lan; docker volume create data")
        room.client.containers.run(IMAGE, ["sleep", "600"], name="other", detach=True)
    mine = direct.containers.list(filters={"label": f"{SCOPE}={room.scope}"})
    assert sorted(str(container.name) for container in mine) == ["other", "web"]


def test_opening_again_in_the_same_kernel_leaves_the_former_room(direct: docker.DockerClient) -> None:
    first = open_room("00-test", images=[IMAGE])
    first.cli("run", "-d", "--name", "web", IMAGE, "sleep", "600")
    second = open_room("00-test", images=[IMAGE])
    assert not first.is_open
    assert second.is_open
    assert of_scope(direct, first.scope) == 0
    assert Path.cwd() == second.folder


def test_the_same_notebook_twice_at_once_does_not_collide(
    direct: docker.DockerClient, kernel: Callable[[], "subprocess.Popen[str]"]
) -> None:
    one, two = kernel(), kernel()
    scopes = said(one), said(two)
    assert [of_scope(direct, scope) for scope in scopes] == [3, 3]
    one.communicate("\n")
    assert [of_scope(direct, scope) for scope in scopes] == [0, 3]
    two.communicate("\n")


def test_a_name_that_somebody_else_uses_is_left_to_them(engine: Engine, direct: docker.DockerClient) -> None:
    theirs = direct.containers.create(IMAGE, ["true"], name="web")
    try:
        room = open_room("00-test", images=[IMAGE])
        room.cli("run", "-d", "--name", "web", IMAGE, "sleep", "600")
        assert room.cli("inspect", "web", "--format", "{{.State.Status}}").stdout == "running\n"
        room.cli("rm", "-f", "web")
        assert direct.containers.get(str(theirs.id)).status == "created"
        room.close()
    finally:
        theirs.remove()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_killed_kernel_leaves_nothing_on_the_engine(
    number: signal.Signals, direct: docker.DockerClient, kernel: Callable[[], "subprocess.Popen[str]"]
) -> None:
    process = kernel()
    scope = said(process)
    assert of_scope(direct, scope) == 3
    process.send_signal(number)
    process.wait()
    assert until(lambda: of_scope(direct, scope) == 0)
    assert until(lambda: scope not in {entry.scope for entry in cleanup.live_scopes()})


def test_a_kernel_that_is_interrupted_and_ends_by_itself_leaves_nothing(
    direct: docker.DockerClient, kernel: Callable[[], "subprocess.Popen[str]"]
) -> None:
    process = kernel()
    scope = said(process)
    process.send_signal(signal.SIGINT)
    process.wait()
    assert of_scope(direct, scope) == 0  # at once: the kernel ran its atexit before it ended


def test_what_a_kernel_and_its_gateway_left_is_found_reported_and_removed(
    engine: Engine, direct: docker.DockerClient, kernel: Callable[[], "subprocess.Popen[str]"]
) -> None:
    process = kernel()
    scope = said(process)
    (gateway,) = [entry for entry in cleanup.live_scopes() if entry.scope == scope]
    assert scope in [entry.scope for entry in cleaning.clean(engine, dry_run=True).living]
    os.kill(gateway.pid, signal.SIGKILL)
    process.kill()
    process.wait()
    assert until(lambda: scope not in {entry.scope for entry in cleanup.live_scopes()})

    dry = cleaning.clean(engine, dry_run=True)
    assert (dry.objects, of_scope(direct, scope)) == (3, 3)
    assert f"{scope}: would remove container web" in list(dry.lines())
    done = cleaning.clean(engine)
    assert (done.objects, done.left_over, of_scope(direct, scope)) == (3, 0, 0)
    assert f"{scope}: removed volume data" in list(done.lines())
    assert list(cleaning.clean(engine).lines())[-1] == "Nothing is left over."


def test_the_next_room_removes_what_a_dead_one_left_and_says_so(
    direct: docker.DockerClient, kernel: Callable[[], "subprocess.Popen[str]"]
) -> None:
    process = kernel()
    scope = said(process)
    (gateway,) = [entry for entry in cleanup.live_scopes() if entry.scope == scope]
    os.kill(gateway.pid, signal.SIGKILL)
    process.kill()
    process.wait()
    assert until(lambda: scope not in {entry.scope for entry in cleanup.live_scopes()})
    room = open_room("00-test", images=[IMAGE])
    assert of_scope(direct, scope) == 0
    assert room.summary is not None
    assert "Removed first: 3 things left by a kernel that died." in room.summary.text()


def test_an_interrupted_opening_leaves_no_half_open_room(
    direct: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    before, folder = dict(os.environ), Path.cwd()
    monkeypatch.setattr(room_module, "ensure", interrupted)
    with pytest.raises(KeyboardInterrupt):
        open_room("00-test", images=[IMAGE])
    assert current.room() is None
    assert (dict(os.environ), Path.cwd()) == (before, folder)
    assert not [entry for entry in cleanup.live_scopes() if entry.scope.startswith("00-")]


def test_a_child_that_the_kernel_forks_does_not_close_the_room(direct: docker.DockerClient) -> None:
    room = open_room("00-test", images=[IMAGE])
    child = os.fork()
    if child == 0:
        room.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert room.is_open
    assert room.cli("version", "--format", "{{.Server.Os}}").stdout == "linux\n"


def test_a_command_that_fails_says_what_docker_said(direct: docker.DockerClient) -> None:
    room = open_room("00-test", images=[IMAGE])
    with pytest.raises(CommandFailed, match=r"`docker inspect nobody` ended with 1:\n.*[Nn]o such object: nobody"):
        room.cli("inspect", "nobody")


def test_what_the_engine_lacks_is_one_clear_sentence(direct: docker.DockerClient) -> None:
    room = open_room("00-test", images=[IMAGE])
    room.require("buildx", "disposable", "runtime:runc")
    with pytest.raises(CapabilityMissing, match="needs the runtime kata"):
        room.require("runtime:kata")


def test_a_notebook_without_an_engine_is_one_clear_error(
    direct: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_TUTOR_ENGINE", "existing")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(EngineNotFound) as error:
        open_room("00-test")
    assert len(error.value._render_traceback_()) == 1
    assert current.room() is None
