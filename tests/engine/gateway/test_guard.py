"""An engine that belongs to somebody else: whatever is typed through the gateway, what is theirs stays as it is."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import pytest

from docker_tutor.errors import GatewayError
from docker_tutor.gateway import Cleaned
from docker_tutor.gateway.cleanup import list_scope, remove_scope

pytestmark = pytest.mark.engine

# The fixtures' own types live in conftest.py, which a test module cannot import.
Docker = Callable[..., str]
Door = Any

COMPOSE = """
services:
  web:
    image: tiny
    command: sleep 6000
    volumes: [data:/data]
volumes:
  data:
"""


def listing(direct: Docker) -> dict[str, object]:
    """Everything there is, as far as the engine tells."""
    containers = direct("ps", "-aq", "--no-trunc").split()
    inspected = json.loads(direct("inspect", *containers)) if containers else []
    networks = direct("network", "ls", "-q", "--no-trunc").split()
    images = direct("images", "-a", "--no-trunc", "--digests", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}")
    return {
        "containers": {
            entry["Id"]: (
                entry["Name"],
                entry["State"]["Status"],
                entry["State"]["StartedAt"],
                entry["HostConfig"]["Memory"],
                sorted(entry["NetworkSettings"]["Networks"]),
                entry["ExecIDs"],
            )
            for entry in inspected
        },
        "networks": {
            n["Id"]: (n["Name"], sorted(n["Containers"])) for n in json.loads(direct("network", "inspect", *networks))
        },
        "volumes": sorted(direct("volume", "ls", "-q").split()),
        "images": sorted(images.splitlines()),
        "cache": sorted(line.split()[0] for line in direct("buildx", "du").splitlines() if "true" in line),
        "swarm": direct("info", "-f", "{{.Swarm.LocalNodeState}}"),
    }


@pytest.fixture(scope="module")
def theirs(direct: Docker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fill the engine with somebody's things: running, stopped, dangling, cached, composed."""
    folder = tmp_path_factory.mktemp("theirs")
    (folder / "Dockerfile").write_text(f"FROM tiny\nRUN echo {uuid.uuid4()} > /theirs\n", encoding="utf-8")
    (folder / "compose.yaml").write_text(COMPOSE, encoding="utf-8")
    compose = ("compose", "-p", "theirproject", "-f", str(folder / "compose.yaml"))
    direct("network", "create", "theirs")
    direct("volume", "create", "theirs")
    direct("volume", "create", "theirs-unused")
    direct(
        "run", "-d", "--name", "theirs", "--network", "theirs", "-v", "theirs:/d", "-v", "/a", "tiny", "sleep", "6000"
    )
    direct("run", "--name", "theirs-ended", "tiny", "echo", "done")
    direct("buildx", "build", "-t", "theirs:1", "-t", "theirs:2", str(folder))
    (folder / "Dockerfile").write_text(f"FROM tiny\nRUN echo {uuid.uuid4()} > /dangling\n", encoding="utf-8")
    direct("buildx", "build", str(folder))
    direct(*compose, "up", "-d")
    yield
    direct(*compose, "down", "-v", "-t", "0")
    direct("rm", "-f", "-v", "theirs", "theirs-ended")
    direct("network", "rm", "theirs")
    direct("volume", "rm", "theirs", "theirs-unused")
    direct("rmi", "theirs:1", "theirs:2")
    direct("image", "prune", "-f")
    direct("builder", "prune", "-af")


@pytest.fixture
def guarded(theirs: None, opened: Callable[..., Door], direct: Docker) -> Iterator[Door]:
    """Open a door to the somebody's engine; at the end everything of theirs is as it was."""
    before = listing(direct)
    door = opened(disposable=False)
    yield door
    door.gateway.close()
    assert {**listing(direct), "cache": []} == {**before, "cache": []}
    assert set(before["cache"]) <= set(listing(direct)["cache"])


DESTRUCTIVE = [
    "rm -f theirs",
    "rm theirs-ended",
    "container rm -f -v theirs",
    "stop -t 0 theirs",
    "kill theirs",
    "restart -t 0 theirs",
    "start theirs-ended",
    "pause theirs",
    "rename theirs mine-now",
    "update --memory 64m --memory-swap 64m theirs",
    "exec theirs echo hi",
    "commit theirs stolen:1",
    "cp /etc/hostname theirs:/x",
    "network rm theirs",
    "network disconnect -f theirs theirs",
    "network connect bridge theirs",
    "volume rm theirs-unused",
    "rmi theirs:1",
    "rmi -f theirs:1 theirs:2",
    "tag tiny theirs:1",
    "run --rm --volumes-from theirs tiny echo",
    "run --rm --network theirs tiny echo",
    "run --rm --network container:theirs tiny echo",
    "run --rm --pid container:theirs tiny echo",
    "builder prune -af",
    "buildx prune -af",
    "compose -p theirproject down -v -t 0",
    "compose -p theirproject stop -t 0",
    "swarm init",
    "plugin disable x",
]


def test_what_would_change_something_of_theirs_is_refused_in_one_sentence(guarded: Door) -> None:
    answers = {command: guarded.run(*command.split()) for command in DESTRUCTIVE}
    passed = [command for command, done in answers.items() if done.returncode == 0]
    silent = {command: done.stderr for command, done in answers.items() if "the course" not in done.stderr.lower()}
    assert (passed, silent) == ([], {})


def test_short_ids_are_no_way_around(guarded: Door, direct: Docker) -> None:
    container = direct("ps", "-q", "--filter", "name=^theirs$")
    image = direct("images", "-q", "theirs:1")
    network = direct("network", "ls", "-q", "--filter", "name=^theirs$")
    for words in (["rm", "-f", container[:6]], ["rmi", "-f", image[:8]], ["network", "rm", network[:8]]):
        done = guarded.run(*words)
        assert (done.returncode, "The course" in done.stderr) == (1, True), words


def test_prunes_take_nothing_of_theirs_and_report_nothing(guarded: Door) -> None:
    for command in (
        "system prune -af --volumes",
        "container prune -f",
        "container prune -f --filter until=1s",
        "image prune -af",
        "volume prune -af",
        "network prune -f",
    ):
        printed = guarded(*command.split())
        assert printed in {"", "Total reclaimed space: 0B"}, command
    assert "cannot confine" in guarded.run("container", "prune", "-f", "--filter", "until=whenever").stderr


def test_prunes_take_what_is_ours(guarded: Door, build_folder: Path) -> None:
    guarded("run", "--name", "our-ended", "-v", "our-vol:/d", "tiny", "echo")
    guarded("run", "-d", "--name", "our-running", "tiny", "sleep", "600")
    guarded("network", "create", "our-net")
    guarded("buildx", "build", "-t", "ours:1", str(build_folder))
    ended = guarded("ps", "-aq", "--no-trunc", "--filter", "name=our-ended")
    pruned = guarded("system", "prune", "-af", "--volumes")
    assert ended in pruned
    assert "our-net" in pruned
    assert "untagged: ours:1" in pruned
    assert "our-vol" in guarded("volume", "prune", "-af")
    assert guarded("ps", "-q", "--filter", "name=our-running")


def test_what_is_ours_may_be_changed_and_removed(guarded: Door, build_folder: Path) -> None:
    guarded("network", "create", "our-net")
    guarded("run", "-d", "--name", "ours", "-v", "our-vol:/d", "-v", "/anon", "tiny", "sleep", "600")
    guarded("network", "connect", "our-net", "ours")
    guarded("exec", "ours", "echo", "hi")
    guarded("cp", "/etc/hostname", "ours:/x")
    guarded("pause", "ours")
    guarded("unpause", "ours")
    guarded("run", "--rm", "--volumes-from", "ours", "--network", "container:ours", "tiny", "echo")
    guarded("commit", "ours", "our-commit:1")
    guarded("buildx", "build", "-t", "ours:1", str(build_folder))
    guarded("buildx", "build", "-t", "ours:1", "--build-arg", "x=1", str(build_folder))
    guarded("tag", "tiny", "our-tiny:1")
    guarded("rm", "-f", "ours")
    anonymous = [entry.name for entry in guarded.gateway.ledger().of("volume")]
    assert len(anonymous) == 1
    guarded("volume", "rm", "our-vol", *anonymous)
    guarded("network", "rm", "our-net")
    guarded("rmi", "our-tiny:1", "our-commit:1", "ours:1")


def test_compose_of_our_own_goes_up_and_down(guarded: Door, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(COMPOSE, encoding="utf-8")
    compose = ("compose", "-p", "ourproject", "-f", str(tmp_path / "compose.yaml"))
    guarded(*compose, "up", "-d")
    guarded(*compose, "down", "-v", "-t", "0")
    assert guarded("ps", "-aq", "--filter", "label=com.docker.compose.project=ourproject") == ""


def test_a_name_of_theirs_is_moved_by_no_build_load_commit_or_import(
    guarded: Door, direct: Docker, build_folder: Path, tmp_path: Path
) -> None:
    before = direct("inspect", "-f", "{{.Id}}", "theirs:1")
    done = guarded.run("buildx", "build", "-t", "fine:1", "-t", "theirs:1", str(build_folder))
    assert (done.returncode, "here before the course" in done.stderr) == (1, True), done.stderr
    with closing(docker.DockerClient(guarded.gateway.address)) as client:
        with pytest.raises(docker.errors.APIError, match="here before the course"):
            client.api.build(path=str(build_folder), tag="theirs:1").__next__()
        container = client.containers.create("tiny", "echo")
        with pytest.raises(docker.errors.APIError, match="here before the course"):
            container.commit("theirs", "1")
        with pytest.raises(docker.errors.APIError, match="here before the course"):
            client.api.pull("theirs", "1")
        container.remove()
    direct("tag", "tiny", "was-theirs:1")
    direct("save", "-o", str(tmp_path / "archive.tar"), "was-theirs:1")
    direct("rmi", "was-theirs:1")
    guarded("load", "-i", str(tmp_path / "archive.tar"))  # a new name is no harm
    assert guarded.gateway.ledger().of("tag")[-1].name == "was-theirs:1"
    direct("tag", "theirs:2", "was-theirs:2")
    direct("save", "-o", str(tmp_path / "second.tar"), "was-theirs:2")
    direct("tag", "theirs:1", "was-theirs:2")
    direct("tag", "tiny", "was-theirs:2")
    done = guarded.run("load", "-i", str(tmp_path / "second.tar"))
    assert "here before the course" in done.stderr
    direct("rmi", "was-theirs:2")
    assert direct("inspect", "-f", "{{.Id}}", "theirs:1") == before


def test_a_name_of_theirs_is_avoided_by_a_create(guarded: Door) -> None:
    guarded("run", "-d", "--name", "theirs", "-v", "theirs:/d", "tiny", "sleep", "600")
    guarded("exec", "theirs", "echo", "hi")
    guarded("rm", "-f", "theirs")


def test_reading_is_allowed_and_lists_are_whole(guarded: Door) -> None:
    assert "theirs" in guarded("ps", "-a", "--format", "{{.Names}}").split()
    assert "theirs" in guarded("volume", "ls", "-q").split()
    for words in ("logs theirs-ended", "inspect theirs", "top theirs", "stats --no-stream theirs", "diff theirs"):
        guarded(*words.split())
    guarded("wait", "theirs-ended")
    guarded("system", "df", "-v")


def test_what_nobody_guards_is_noted(guarded: Door) -> None:
    guarded("run", "--rm", "--privileged", "-v", "/:/host:ro", "tiny", "echo")
    warnings = [entry.name for entry in guarded.gateway.ledger().of("warning")]
    assert any("--privileged" in warning for warning in warnings)
    assert any("was given / of this machine" in warning for warning in warnings)


def test_closing_leaves_the_last_name_of_an_image_that_was_here(
    guarded: Door, direct: Docker, private_engine: Any
) -> None:
    dangling = direct("images", "-q", "--filter", "dangling=true", "--no-trunc").split()[0]
    guarded("tag", dangling, "our-name:1")
    assert "here before" in guarded.run("rmi", "our-name:1").stderr
    cleaned = guarded.gateway.close()
    assert [left.name for left in cleaned.leftovers] == ["our-name:1"]
    assert len(list_scope(private_engine.address, guarded.gateway.scope).containers) == 0
    # Putting the dangling image back as it was: a name can only be taken from it by moving it.
    direct("tag", "tiny", "our-name:1")
    direct("rmi", "our-name:1")


@pytest.fixture
def stand_in(theirs: None, direct: Docker, tmp_path: Path) -> Iterator[str]:
    """Make a stand-in for an image that is not here, as `images` makes it on an engine that is not ours."""
    (tmp_path / "Dockerfile").write_text("FROM tiny\nLABEL docker-tutor.stand-in=gw-real:1\n", encoding="utf-8")
    direct("buildx", "build", "-t", "docker-tutor/stand-in/gw-real:1", str(tmp_path))
    yield "docker-tutor/stand-in/gw-real:1"
    direct("rmi", "docker-tutor/stand-in/gw-real:1")


@pytest.mark.parametrize("builder", ["buildx build", "build"])
def test_a_stand_in_is_found_under_the_real_name_by_its_scope_alone(
    stand_in: str, guarded: Door, direct: Docker, tmp_path_factory: pytest.TempPathFactory, builder: str
) -> None:
    folder = tmp_path_factory.mktemp("b")
    (folder / "Dockerfile").write_text("FROM gw-real:1\nRUN echo > /built\n", encoding="utf-8")
    assert guarded("run", "--rm", "gw-real:1", "echo", "hi") == "hi"
    assert guarded("image", "inspect", "-f", "{{.RepoTags}}", "gw-real:1") == f"[{stand_in}]"
    if builder == "build":
        guarded.environment["DOCKER_BUILDKIT"] = "0"
    guarded(*builder.split(), "-t", "gw-on-stand-in:1", str(folder))
    assert direct("images", "-q", "gw-real:1") == ""
    guarded.gateway.close()
    assert direct("images", "-q", "gw-real:1") == ""
    assert direct("images", "-q", stand_in)


def test_a_name_lent_to_a_stand_in_when_the_gateway_was_killed_is_taken_back(
    stand_in: str, guarded: Door, direct: Docker, private_engine: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("b")
    (folder / "Dockerfile").write_text("FROM gw-real:1\nRUN echo started; sleep 30\n", encoding="utf-8")
    build = guarded.open("buildx", "build", "--progress=plain", "--no-cache", str(folder))
    assert any("started" in line and "RUN" not in line for line in build.stderr)
    assert direct("images", "-q", "gw-real:1")
    guarded.gateway._process.kill()
    guarded.gateway._process.wait()
    build.communicate(timeout=30)
    remove_scope(private_engine.address, guarded.gateway.scope)
    assert direct("images", "-q", "gw-real:1") == ""
    with pytest.raises(GatewayError):
        guarded.gateway.close()
    guarded.gateway._cleaned = Cleaned(guarded.gateway.scope)
