"""A gateway of its own for each test, on the private engine; nothing is left when the test is over."""

import select
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from docker_tutor.engines.base import Engine
from docker_tutor.errors import GatewayError
from docker_tutor.gateway import Gateway, cleanup


class Door:
    """A gateway, and the docker command that goes through it."""

    def __init__(self, gateway: Gateway, environment: dict[str, str]) -> None:
        self.gateway = gateway
        self.environment = environment | {"DOCKER_HOST": gateway.address}

    def run(self, *words: str, given: str | None = None, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        """Run docker as typed; both outputs as text."""
        return subprocess.run(
            ["docker", *words],
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def __call__(self, *words: str, given: str | None = None) -> str:
        """Run docker and return what it prints; fail with what it complains about."""
        done = self.run(*words, given=given)
        assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr}"
        return done.stdout.strip()

    def open(self, *words: str) -> "subprocess.Popen[str]":
        """Start docker and leave it running."""
        return subprocess.Popen(
            ["docker", *words],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def let_go_of(self, path: str) -> bool:
        """Wait until a call is over on both sides (its record says so); False when it does not happen."""
        for _turn in range(200):
            if any(path in call.path for call in self.gateway.calls()):
                return True
            select.select([], [], [], 0.05)  # a record is a file that grows: looked at in turns
        return False

    def descriptors(self) -> int:
        """Count what the gateway's process has open."""
        return sum(1 for _entry in Path(f"/proc/{self.gateway.pid}/fd").iterdir())


@pytest.fixture(scope="session")
def direct(private_engine: Engine, docker_of: Callable[[Engine], Callable[..., str]]) -> Callable[..., str]:
    """Return the docker command that goes to the engine itself."""
    return docker_of(private_engine)


@pytest.fixture
def opened(
    private_engine: Engine, direct: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Door]]:
    """Open doors; close those that still stand open, and find nothing of theirs on the engine."""
    doors: list[Door] = []

    def open_door(scope: str | None = None, **options: object) -> Door:
        scope = scope or f"t-{uuid.uuid4().hex[:4]}"
        folder = tmp_path_factory.mktemp("d")
        gateway = Gateway.start(private_engine.address, scope, folder, **options)  # type: ignore[arg-type]
        doors.append(Door(gateway, direct.environment))  # type: ignore[attr-defined]
        return doors[-1]

    yield open_door
    for door in doors:
        if door.gateway.alive:
            door.gateway.close()
        else:
            with suppress(GatewayError):  # a test has killed it, and looked at what came of it
                door.gateway.close()
        left = cleanup.list_scope(private_engine.address, door.gateway.scope)
        assert len(left) == 0, left


@pytest.fixture
def door(opened: Callable[..., Door]) -> Door:
    """Open one door."""
    return opened()


@pytest.fixture
def build_folder(tmp_path: Path) -> Path:
    """Make a folder with a Dockerfile that builds on `tiny`."""
    (tmp_path / "Dockerfile").write_text(f"FROM tiny\nRUN echo {uuid.uuid4()} > /made\n", encoding="utf-8")
    return tmp_path
