"""The checks of chapter 2 can fail: a gateway drops a part of what was asked for, and the claims about it fail."""

from collections.abc import Callable
from pathlib import Path

import pytest

from docker_tutor.engines.base import Engine
from docker_tutor.gateway.handle import EXTENSION_VARIABLE

pytestmark = [pytest.mark.engine, pytest.mark.one_in(5)]

NOTEBOOK = "02-architecture.ipynb"
TYPED = ("crooked-typed", "config-typed", "goal-answer")

MUST = {
    "drop_memory": {"config: the memory limit is in config.json", "goal: 64 MiB"},
    "drop_volumes": {"config: the volume"},
    "drop_env": {"config: the variable and the command", "goal: the greeting"},
    "drop_log_driver": {"logs: in less room", "logs: none keeps nothing", "logs: and says so"},
    "other_command": {
        "crooked: it was created and never started",
        "crooked: 127: no such program",
        "crooked: the message names each layer, from the daemon down to the cause",
        "crooked: no layer is missing",
    },
}
MAY = {
    # Two json-file logs of the same bytes differ by the digits of their timestamps, either way.
    "drop_log_driver": {"logs: in less room"},
    # Without an error every layer's place is "not found", and a row of equal places is in order.
    "other_command": {"crooked: the message names each layer, from the daemon down to the cause"},
}


@pytest.fixture
def claims(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], set[str]]:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import notebook_claims

    def failing(lie: str) -> set[str]:
        sections = notebook_claims.sections_of(*MUST[lie], *MAY.get(lie, ()))
        return notebook_claims.failing_claims(NOTEBOOK, sections, TYPED)

    return failing


@pytest.mark.parametrize("lie", MUST)
def test_a_part_that_is_dropped_fails_the_claims_about_it_and_no_other(
    claims: Callable[[str], set[str]], monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    with monkeypatch.context() as lying:
        lying.setenv(EXTENSION_VARIABLE, f"lying_architecture:{lie}")
        failed = claims(lie)
    may = MAY.get(lie, set())
    assert failed >= MUST[lie] - may
    assert failed <= MUST[lie] | may
