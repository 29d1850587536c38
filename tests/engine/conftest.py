"""Engines for the tests that need a real one. None of them is the learner's: each is an instance of its own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from docker_tutor.engines.private.engine import PrivateEngine
from docker_tutor.engines.private.layout import Layout
from docker_tutor.engines.private.stopping import leftovers
from docker_tutor.paths import runtime_folder, shared_data_folder


@contextmanager
def _instance(name: str) -> Iterator[PrivateEngine]:
    runtime = (runtime_folder().parent / name).resolve()
    data = (shared_data_folder() / name).resolve()
    for folder in (runtime, data):
        folder.mkdir(mode=0o700, exist_ok=True)
    engine = PrivateEngine(Layout(name, runtime / "engine", data / "engine"))
    try:
        yield engine
    finally:
        engine.down(purge=True)
        assert leftovers(engine.layout) == []
        _remove(runtime)
        _remove(data)


def _remove(folder: Path) -> None:
    for lock in folder.glob("*.lock"):
        lock.unlink()
    folder.rmdir()


@pytest.fixture(scope="session")
def private_engine() -> Iterator[PrivateEngine]:
    """Bring a private engine up for the whole session; gone at the end, and nothing is left of it."""
    with _instance("tst") as engine:
        engine.up()
        yield engine


@pytest.fixture
def engine_of_its_own(request: pytest.FixtureRequest) -> Iterator[Callable[[str], PrivateEngine]]:
    """Make further private engines by name, for tests that break them; each is gone at the end of the test."""
    from contextlib import ExitStack

    with ExitStack() as made:
        yield lambda name: made.enter_context(_instance(name))
