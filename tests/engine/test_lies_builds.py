"""The checks of chapter 6 can fail: behind a gateway that lies, the claims about the lie fail, and no other."""

from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from docker_tutor.engines.base import Engine
from docker_tutor.gateway.handle import EXTENSION_VARIABLE

pytestmark = [pytest.mark.engine, pytest.mark.one_in(5)]

NOTEBOOK = "06-layers-and-caching.ipynb"
TYPED = ("project-dockerfile", "stack-typed")

FORGOTTEN = {
    "rules: touch: nothing ran",
    "rules: chmod: the mode counts",
    "rules: other content, same size and time: nothing ran, and that is a trap",
    "rules: another secret: nothing ran",
    "rules: tools ran again and made the same: only tools",
    "rules: nothing changed: nothing ran",
    "rules: one byte of app.py: from COPY . . on",
    "rules: a remark in the RUN: it and what follows",
    "rules: a build argument: the first RUN after its ARG",
    "rules: ENV: every RUN below, and what stands on them",
    "rules: a line moved up: from there on",
    "rules: no experiment went against the rules as given here",
    "why: the list of requirements was copied from the cache",
    "stale: the second build gave the first one's answer",
    "order: list first: only the copy of the sources ran",
    "order: and the rebuild was at least twice as fast",
    "context: a line in a log file was enough to copy everything again",
    "context: with .dockerignore nothing ran",
    "mount: both rebuilds ran the same two lines",
    "mount: with it, the one file that had changed",
}
HIDDEN = {"writes: docker diff shows an addition and a deletion"}


@pytest.fixture
def claims(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[[Collection[str]], set[str]]:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import notebook_claims

    return lambda sections: notebook_claims.failing_claims(NOTEBOOK, ("project", *sections), TYPED)


def test_a_cache_that_is_never_used_fails_every_claim_that_something_was_cached(
    claims: Callable[[Collection[str]], set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(EXTENSION_VARIABLE, "lying_builds:forget_the_cache")
    assert claims(("rules", "why", "stale", "order", "context", "mount")) == FORGOTTEN


def test_writes_that_nobody_sees_fail_the_claim_about_docker_diff_and_no_other(
    claims: Callable[[Collection[str]], set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(EXTENSION_VARIABLE, "lying_builds:hide_changes")
    assert claims(("stack", "writes")) == HIDDEN
