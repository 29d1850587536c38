"""What all tests share: one private engine for the session, in folders that are never the learner's."""

from collections.abc import Iterator

import pytest

from docker_tutor.dev import rotation, testengine
from docker_tutor.engines.base import Engine


def pytest_configure() -> None:
    """Let SIGTERM end the tests as Ctrl-C does, so that their engines are taken down."""
    testengine.endable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests marked `one_in(N)`, N of which are alike enough, to their day in a quick suite.

    What is named by its id is wanted today.
    """
    if not rotation.is_quick() or any("::" in each for each in config.args):
        return
    marked = {item: int(mark.args[0]) for item in items if (mark := item.get_closest_marker("one_in"))}
    others = set(rotation.of_other_days(marked))
    config.hook.pytest_deselected(items=[item for item in items if item in others])
    items[:] = [item for item in items if item not in others]


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """Bring the test engine up once; take it down at the end, unless the suite that called us had it up."""
    with testengine.running() as running:
        yield running
