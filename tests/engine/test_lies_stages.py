"""The checks of chapter 4 can fail: behind a gateway that lies, the claim about the lie fails, and no other."""

from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from docker_tutor.engines.base import Engine
from docker_tutor.gateway.handle import EXTENSION_VARIABLE

pytestmark = [pytest.mark.engine, pytest.mark.one_in(5)]

NOTEBOOK = "04-multi-stage.ipynb"
TYPED = (
    "single-dockerfile",
    "single-compile",
    "single-typed",
    "scratch-dockerfile",
    "scratch-authority",
    "scratch-typed",
    "node-stages",
    "node-runner",
    "node-command",
    "node-typed",
)


@pytest.fixture
def claims(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[[Collection[str]], set[str]]:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import notebook_claims

    return lambda sections: notebook_claims.failing_claims(NOTEBOOK, sections, TYPED)


def test_another_list_of_authorities_fails_the_claim_that_the_page_comes_and_no_other(
    claims: Callable[[Collection[str]], set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(EXTENSION_VARIABLE, "lying_stages:swap_the_certificates")
    assert claims(("single", "scratch")) == {"scratch: with the right list the page comes"}


def test_a_container_that_runs_as_root_fails_the_claim_about_the_user_and_no_other(
    claims: Callable[[Collection[str]], set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(EXTENSION_VARIABLE, "lying_stages:run_as_root")
    # The section `single` writes the certificate authorities of this machine, which npm needs.
    assert claims(("single", "node")) == {"node: it runs as user 1001, for production"}
