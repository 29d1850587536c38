"""Folders of a test's own, and no room left open by one test for the next."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from docker_tutor.classroom import current, records


@dataclass(frozen=True)
class Place:
    name: str = "01-a-notebook"
    scope: str = "01-cafe"


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("DOCKER_TUTOR_INSTANCE", "unit")
    monkeypatch.setenv("DOCKER_TUTOR_LANG", "en")
    monkeypatch.setattr(records, "_warned", set())


@pytest.fixture
def place() -> Iterator[Place]:
    here = Place()
    current.enter(here)
    yield here
    current.leave(here)
