"""The checks on volumes can fail: a gateway changes one thing that was asked for, and the claims about it fail."""

from collections.abc import Callable
from pathlib import Path

import pytest

from docker_tutor.engines.base import Engine
from docker_tutor.gateway.handle import EXTENSION_VARIABLE

pytestmark = [pytest.mark.engine, pytest.mark.one_in(5)]

NOTEBOOK = "07-networks-and-volumes.ipynb"
TYPED = ("init-script", "init-answer", "notes-given", "notes-answer")

MUST = {
    "vanishing_volumes": {
        "survive: a named volume outlives its container",
        "init: the data is in the volume of that name",
        "trip: every row is back",
        "trip: and not one value differs",
        "notes: the archive has the note",
        "notes: and the new volume has it too",
    },
    "writable_mounts": {
        "init: the script is mounted read-only",
        "init: and a write to it is refused",
    },
    "tmpfs_without_limit": {
        "tmpfs: the kernel has the limit in force",
        "tmpfs: exactly that much fitted",
        "tmpfs: the writer was told: no space left",
    },
}


@pytest.fixture
def claims(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], set[str]]:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import notebook_claims

    def failing(lie: str) -> set[str]:
        sections = notebook_claims.sections_of(*MUST[lie])
        return notebook_claims.failing_claims(NOTEBOOK, sections, TYPED)

    return failing


@pytest.mark.parametrize("lie", MUST)
def test_a_lie_about_volumes_fails_the_claims_about_it_and_no_other(
    claims: Callable[[str], set[str]], monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    monkeypatch.setenv(EXTENSION_VARIABLE, f"lying_volumes:{lie}")
    assert claims(lie) == MUST[lie]
