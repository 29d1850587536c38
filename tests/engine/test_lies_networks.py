"""The checks on networks can fail: a gateway changes one thing that was asked for, and the claims about it fail."""

from collections.abc import Callable
from pathlib import Path

import pytest

from docker_tutor.engines.base import Engine
from docker_tutor.gateway.handle import EXTENSION_VARIABLE

pytestmark = [pytest.mark.engine, pytest.mark.one_in(5)]

NOTEBOOK = "07-networks-and-volumes.ipynb"
TYPED = ("goal-answer",)

MUST = {
    "default_bridge": {
        "drivers: two bridges: they do not",
        "names: on the user bridge a neighbour is found by name",
        "names: the user bridge's name server is 127.0.0.11",
        # The servers have aliases and so stay on the user bridge; the caller has none and asks on the default one.
        "alias: every answer's addresses are those of the three",
        "alias: each of the three stood first at some time",
        "alias: and each answered requests",
    },
    "no_aliases": {
        "alias: every answer's addresses are those of the three",
        "alias: each of the three stood first at some time",
        "alias: and each answered requests",
        "goal: it can be called fruit there",
    },
    "swapped_subnets": {"names: the bridge has the range that it was asked to have"},
    "ports_not_published": {
        "publish: the published port answers",
        "publish: the rule leads to the container",
        "publish: a call by the machine's address is counted: once for the connection",
        "publish: a call by 127.0.0.1 is not: docker-proxy takes it",
        "journey: the page arrived",
        "journey: the packet was seen on the bridge and on the cable",
        "journey: and last inside the container",
        "journey: there it is addressed to the container",
        "journey: the answer leaves the container from the same address",
        "host: with -p the engine refuses",
        "host: -p on the host's network is ignored, with a warning",
        "goal: port 80 is published for this machine alone",
    },
}
MAY = {
    # Whether the machine's own name server knows that a name does not exist depends on the machine.
    "default_bridge": {"names: it says NXDOMAIN to a name that nobody has"},
    "no_aliases": set(),
    "swapped_subnets": set(),
    "ports_not_published": set(),
}


@pytest.fixture
def claims(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], set[str]]:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import notebook_claims

    def failing(lie: str) -> set[str]:
        sections = notebook_claims.sections_of(*MUST[lie], *MAY[lie])
        return notebook_claims.failing_claims(NOTEBOOK, sections, TYPED)

    return failing


@pytest.mark.parametrize("lie", MUST)
def test_a_lie_about_networks_fails_the_claims_about_it_and_no_other(
    claims: Callable[[str], set[str]], monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    monkeypatch.setenv(EXTENSION_VARIABLE, f"lying_networks:{lie}")
    failed = claims(lie)
    assert failed >= MUST[lie]
    assert failed <= MUST[lie] | MAY[lie]
