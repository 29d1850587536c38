"""The checks of chapter 3 can fail: a gateway changes who runs with what, and the claims about that fail, no other."""

from pathlib import Path

import pytest

from docker_tutor.engines.base import Engine
from docker_tutor.gateway.handle import EXTENSION_VARIABLE

pytestmark = [pytest.mark.engine, pytest.mark.one_in(5)]

NOTEBOOK = "03-dockerfile.ipynb"
FAILING = {
    "drop_cap_drop": {"calls: without capabilities chown is refused"},
    "drop_seccomp": {"calls: the filter refuses mkdir to root with all its rights"},
    "be_privileged": {
        "calls: root has few capabilities, and a filter",
        "calls: mount is refused to root, chown is not",
        "calls: without capabilities chown is refused",
        "calls: the filter refuses mkdir to root with all its rights",
    },
    "run_as_root": {
        "users: adduser -S without -G ends in nogroup",
        "users: with -G in the group that was made",
        "users: the others are refused",
    },
}


@pytest.mark.parametrize("lie", FAILING)
def test_a_lie_about_rights_fails_the_claims_about_it_and_no_other(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import notebook_claims

    monkeypatch.setenv(EXTENSION_VARIABLE, f"lying_dockerfiles:{lie}")
    sections = notebook_claims.sections_of(*FAILING[lie])
    assert notebook_claims.failing_claims(NOTEBOOK, sections, ()) == FAILING[lie]
