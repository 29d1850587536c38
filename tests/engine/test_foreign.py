"""As a guest on somebody's Docker 28, once with each image store: how it is found, and that theirs stays as it is.

What the course shows there, and the notebooks, is tried by `./course test foreign`.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator

import docker
import pytest

from docker_tutor import open_room, paths
from docker_tutor.classroom.room import Room
from docker_tutor.dev.foreign import STORES, Foreign, different, somebodys
from docker_tutor.engines.base import Engine

pytestmark = pytest.mark.engine

IMAGES = ["alpine:3.19", "python:3.11-slim"]
DESTRUCTIVE = (
    "docker system prune -af --volumes",
    "docker container prune -f",
    "docker image prune -af",
    "docker volume prune -af",
    "docker network prune -f",
    "docker builder prune -af",
    "docker buildx prune -af",
    "docker buildx history rm --all",
    "docker rm -f theirs theirs-ended",
    "docker stop -t 0 theirs",
    "docker kill $(docker ps -q)",
    "docker rmi -f theirs:1 theirs:2 tiny:1",
    "docker rmi -f $(docker images -q)",
    "docker network disconnect -f theirs theirs",
    "docker network rm -f theirs theirproject_default",
    "docker volume rm -f theirs theirs-unused theirproject_data",
    "docker compose -p theirproject down -v -t 0 --rmi all",
    "docker compose -p theirproject -f $THEIRS/compose.yaml up -d --force-recreate",
    "docker tag alpine:3.19 theirs:1",
    "printf 'FROM alpine:3.19\\nRUN : moved\\n' | docker build -q -t theirs:1 -",
    "printf 'FROM alpine:3.19\\n' | DOCKER_BUILDKIT=0 docker build -q -t theirs:2 -",
    "docker run --rm --volumes-from theirs alpine:3.19 rm -rf /named/x",
    "docker swarm leave --force",
    "docker swarm init",
)


@pytest.fixture(scope="session", params=STORES)
def theirs(request: pytest.FixtureRequest) -> Iterator[Foreign]:
    """Bring somebody's engine up, once for each image store."""
    with somebodys(request.param) as engine:
        yield engine


@pytest.fixture(scope="module")
def as_guest(theirs: Foreign) -> Iterator[Foreign]:
    """Be in its owner's shell: DOCKER_HOST names the engine, and the course has folders of its own."""
    with pytest.MonkeyPatch.context() as shell:
        own = {"DOCKER_TUTOR_INSTANCE": f"tg{os.getpid()}{theirs.store[0]}", "DOCKER_TUTOR_ENGINE": "auto"}
        for name, value in (theirs.environment | own).items():
            shell.setenv(name, value)
        yield theirs
        for folder in (paths.runtime_folder(), paths.data_folder()):
            shutil.rmtree(folder)


@pytest.fixture
def untouched(as_guest: Foreign) -> Iterator[Foreign]:
    """Compare everything of theirs before and after the test."""
    before = as_guest.listing()
    yield as_guest
    assert different(before, as_guest.listing()) == []


@pytest.fixture
def room(untouched: Foreign) -> Iterator[Room]:
    """Open a room as a guest; it is closed before things are compared."""
    with open_room("00-guest", images=IMAGES) as opened:
        yield opened


def test_the_engine_is_found_where_its_owner_points_and_is_known_for_what_it_is(room: Room, theirs: Foreign) -> None:
    engine: Engine = room.engine
    assert (engine.kind, engine.disposable, engine.address) == ("existing", False, theirs.engine.address)
    found = room.capabilities
    assert found.engine_version.startswith("28.")
    assert (found.image_store, found.storage_driver) == (
        ("graph", "overlay2") if theirs.store == "graph" else ("containerd", "overlayfs")
    )
    assert engine.tools.containerd == str(theirs.engine.layout.containerd_socket)
    assert found.cache_export_local == (theirs.store == "containerd")


def test_whatever_is_typed_changes_only_what_is_the_courses(room: Room, theirs: Foreign) -> None:
    own = ("--name", "ours", "-v", "ours:/d", "alpine:3.19")
    room.cli("run", "--detach", *own, "sleep", "600")
    answers = {}
    for command in DESTRUCTIVE:
        environment = os.environ | {"THEIRS": str(theirs.folder)}
        words = ["bash", "-c", command]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=120)
        answers[command] = (done.returncode, done.stdout + done.stderr)
    silent = [
        command
        for command, (code, said) in answers.items()
        if code and "course" not in said.lower() and "not part of a swarm" not in said
    ]
    assert {command: answers[command] for command in silent} == {}
    refused = [command for command, (code, _said) in answers.items() if code]
    assert set(DESTRUCTIVE) - set(refused) <= {command for command in DESTRUCTIVE if " prune " in command}
    assert not room.api.containers(filters={"name": "^/ours$"}), "`docker kill` of all kills what is the course's"


@pytest.mark.parametrize("builder", ["1", "0"], ids=["buildkit", "classic builder"])
def test_a_stand_in_is_found_under_the_real_name_within_the_room_alone(untouched: Foreign, builder: str) -> None:
    direct = docker.DockerClient(base_url=untouched.engine.address)
    with open_room("00-stand-in", images=["alpine:3.19"]) as room:
        assert room.cli("run", "--rm", "alpine:3.19", "echo", "here").stdout == "here\n"
        room.cli("build", "-t", "made:1", "-", stdin="FROM alpine:3.19\nRUN : a\n", env={"DOCKER_BUILDKIT": builder})
        room.cli("run", "--rm", "made:1", "true")
        room.cli("save", "--output", "saved.tar", "alpine:3.19")
        room.cli("tag", "alpine:3.19", "another:1")
        room.cli("image", "rm", "another:1")
        assert not _names(direct) & {"alpine:3.19"}
    left = _names(direct)
    direct.close()
    assert {name for name in left if not name.startswith(("theirs:", "tiny:"))} <= {
        name for name in left if name.startswith("docker-tutor/stand-in/")
    }
    assert "docker-tutor/stand-in/alpine:3.19" in left


def test_an_image_that_is_there_is_hidden_by_no_stand_in(as_guest: Foreign) -> None:
    as_guest.docker("tag", "tiny:1", "node:20-alpine")
    try:
        with open_room("00-theirs", images=["node:20-alpine"]) as room:
            known = room.api.inspect_image("node:20-alpine")["Id"]
        assert known == json.loads(as_guest.docker("image", "inspect", "tiny:1"))[0]["Id"]
        assert as_guest.docker("images", "-q", "node:20-alpine")
    finally:
        as_guest.docker("rmi", "node:20-alpine")


def _names(client: docker.DockerClient) -> set[str]:
    return {name for image in client.api.images() for name in image.get("RepoTags") or ()}
