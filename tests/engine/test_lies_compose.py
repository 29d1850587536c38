"""The checks of chapter 5 can fail: behind a gateway that lies, the claim about the lie fails, and no other."""

from pathlib import Path

import pytest

from docker_tutor.engines.base import Engine
from docker_tutor.gateway.handle import EXTENSION_VARIABLE

pytestmark = [pytest.mark.engine, pytest.mark.one_in(5)]

LIES = {
    "drop_memory_reservation": {"limits: the memory reservation is kept"},
    "drop_nano_cpus": {"limits: limit: two CPUs' worth of time"},
}


@pytest.mark.parametrize("lie", LIES)
def test_what_is_dropped_on_the_way_fails_the_claim_about_it_and_no_other(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import notebook_claims

    monkeypatch.setenv(EXTENSION_VARIABLE, f"lying_compose:{lie}")
    failed = notebook_claims.failing_claims("05-compose.ipynb", ("stack", "limits"), ("stack-typed",))
    assert failed == LIES[lie]
