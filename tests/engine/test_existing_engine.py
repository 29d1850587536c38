"""A daemon that is there already is used as it is: asked, never started, stopped or emptied."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from docker_tutor.engines.base import Engine
from docker_tutor.engines.endpoints import Endpoint
from docker_tutor.engines.existing import ExistingEngine
from docker_tutor.engines.private.engine import PrivateEngine
from docker_tutor.errors import EngineNotFound, EngineNotPermitted

pytestmark = pytest.mark.engine

Docker = Callable[..., str]


@pytest.fixture
def existing(private_engine: PrivateEngine) -> ExistingEngine:
    """The session's engine, seen as a stranger sees it."""
    return ExistingEngine(Endpoint(private_engine.address, "DOCKER_HOST"))


@pytest.fixture
def another_user() -> Iterator[None]:
    """Be, for this test, a user who is not root."""
    os.seteuid(65534)
    yield
    os.seteuid(0)


def test_it_answers_and_says_who_named_it(existing: ExistingEngine, private_engine: PrivateEngine) -> None:
    existing.up()
    status = existing.status()
    assert (status.state, status.kind, status.pid) == ("running", "existing", private_engine.status().pid)
    assert "DOCKER_HOST" in status.detail


def test_it_is_never_disposable_and_otherwise_found_to_be_what_it_is(
    existing: ExistingEngine, private_engine: PrivateEngine
) -> None:
    # Which plugins there are is the machine's own matter.
    expected = replace(private_engine.capabilities(), disposable=False, buildx=None, compose=None)
    assert replace(existing.capabilities(), buildx=None, compose=None) == expected


def test_down_and_purge_leave_it_alone(
    existing: ExistingEngine, private_engine: PrivateEngine, docker_of: Callable[[Engine], Docker]
) -> None:
    docker = docker_of(private_engine)
    images = sorted(docker("images", "--all", "--quiet").split())
    existing.down(purge=True)
    assert private_engine.status().state == "running"
    assert sorted(docker("images", "--all", "--quiet").split()) == images


@pytest.mark.usefixtures("another_user")
def test_a_socket_without_rights_is_said_with_what_to_do(existing: ExistingEngine) -> None:
    status = existing.status()
    assert status.state == "broken"
    assert "docker" in status.detail
    with pytest.raises(EngineNotPermitted, match="join its group"):
        existing.up()


def test_a_socket_that_nobody_serves_is_named(tmp_path: Path) -> None:
    nobody = ExistingEngine(Endpoint(f"unix://{tmp_path}/docker.sock", "DOCKER_HOST"))
    assert nobody.status().state == "stopped"
    with pytest.raises(EngineNotFound, match=str(tmp_path)):
        nobody.up()
    with pytest.raises(EngineNotFound, match=str(tmp_path)):
        nobody.capabilities()
