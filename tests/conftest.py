"""What all tests share: one private engine for the session, in folders that are never the learner's."""

from collections.abc import Iterator

import pytest

from docker_tutor.dev import testengine
from docker_tutor.engines.base import Engine


def pytest_configure() -> None:
    """Let SIGTERM end the tests as Ctrl-C does, so that their engines are taken down."""
    testengine.endable()


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """Bring the test engine up once; take it down at the end, unless the suite that called us had it up."""
    with testengine.running() as running:
        yield running
