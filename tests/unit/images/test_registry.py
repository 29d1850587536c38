import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from docker import DockerClient
from docker.errors import APIError

from docker_tutor.images import registry
from docker_tutor.images.memory import DeadRegistries
from docker_tutor.images.reference import Reference
from docker_tutor.images.registry import Pulled, RegistryProblem, pull, registry_of
from docker_tutor.progress import silent


class FakeEngine:
    """Answers a pull with what the test says, and remembers what it was asked."""

    def __init__(self, *answers: object) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)
        self.api = SimpleNamespace(pull=self._pull)

    def _pull(self, repository: str, *, tag: str, stream: bool, decode: bool) -> Iterator[dict[str, Any]]:
        self.asked.append(f"{repository}:{tag}")
        answer = self._answers.pop(0)
        if isinstance(answer, threading.Event):
            answer.wait(10)
            return iter(())
        if isinstance(answer, BaseException):
            raise answer
        return iter(cast("list[dict[str, Any]]", answer))


def ask(engine: FakeEngine, name: str, dead: DeadRegistries) -> Pulled | RegistryProblem:
    return pull(cast("DockerClient", engine), Reference.parse(name), silent, dead)


@pytest.fixture
def dead(tmp_path: Path) -> DeadRegistries:
    return DeadRegistries("engine", tmp_path / "dead.json")


@pytest.fixture(autouse=True)
def no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_TUTOR_REGISTRY", raising=False)


@pytest.mark.parametrize(
    "complaint",
    [
        "dial tcp: lookup registry.example on 10.0.2.3:53: no such host",
        "dial tcp 127.0.0.1:443: connect: connection refused",
        "net/http: TLS handshake timeout",
        "toomanyrequests: You have reached your pull rate limit.",
        "received unexpected HTTP status: 503 Service Unavailable",
    ],
)
def test_a_registry_found_dead_is_not_asked_for_the_next_image(dead: DeadRegistries, complaint: str) -> None:
    engine = FakeEngine([{"error": complaint}])
    first, second = ask(engine, "nginx", dead), ask(engine, "alpine:3.19", dead)
    assert isinstance(first, RegistryProblem)
    assert isinstance(second, RegistryProblem)
    assert (first.kind, second.kind) == ("dead", "dead")
    assert engine.asked == ["nginx:latest"]


def test_the_engine_s_own_error_counts_as_well(dead: DeadRegistries) -> None:
    engine = FakeEngine(APIError("500: Get https://registry-1.example/v2/: dial tcp: i/o timeout"))
    problem = ask(engine, "nginx", dead)
    assert isinstance(problem, RegistryProblem)
    assert problem.kind == "dead"


def test_a_missing_image_does_not_make_its_registry_dead(dead: DeadRegistries) -> None:
    engine = FakeEngine([{"error": "manifest for nginx:9 not found: manifest unknown"}], [{"status": "Pulled"}])
    problem = ask(engine, "nginx:9", dead)
    assert isinstance(problem, RegistryProblem)
    assert problem.kind == "missing"
    assert ask(engine, "alpine", dead) == Pulled("alpine:latest")


def test_a_registry_that_says_nothing_is_given_up(dead: DeadRegistries, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "CONNECT_S", 0.05)
    never = threading.Event()
    problem = ask(FakeEngine(never), "nginx", dead)
    never.set()
    assert isinstance(problem, RegistryProblem)
    assert problem.reason == "does not answer"


def test_a_configured_registry_is_asked_instead_as_a_copy_and_as_a_mirror(
    dead: DeadRegistries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_TUTOR_REGISTRY", "https://mirror.example:5000/hub/")
    engine = FakeEngine([{"error": "not found"}], [{"status": "Pulled"}])
    assert ask(engine, "nginx", dead) == Pulled("mirror.example:5000/hub/library/nginx:latest")
    assert engine.asked == ["mirror.example:5000/hub/nginx:latest", "mirror.example:5000/hub/library/nginx:latest"]


def test_no_registry_is_asked_when_the_reader_says_so(dead: DeadRegistries, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_TUTOR_REGISTRY", "none")
    engine = FakeEngine()
    problem = ask(engine, "nginx", dead)
    assert isinstance(problem, RegistryProblem)
    assert problem.kind == "off"
    assert registry_of(Reference.parse("nginx")) == ("", [])
