"""The checks of chapter 1 can fail: a gateway drops one limit, and the claims about that limit fail, and no other."""

from collections.abc import Callable
from pathlib import Path

import pytest

from docker_tutor.engines.base import Engine
from docker_tutor.gateway.handle import EXTENSION_VARIABLE

pytestmark = [pytest.mark.engine, pytest.mark.one_in(5)]

NOTEBOOK = "01-vm-vs-container.ipynb"
TYPED = ("limits-typed", "live-typed", "goal-answer")

# What must fail under each lie, and what else is about the same limit and may: on a busy machine a container
# without a quota may still get no more than a quarter of a CPU.
MUST = {
    "drop_memory": {
        "limits: the memory limit in force is 512 MiB",
        "limits: that leaves 512 MiB of swap",
        "memory: the limit in force is 64 MiB",
        "memory: memory climbed to within 2 MiB of the limit",
        "memory: the kernel killed it: exit 137",
        "memory: and counted the kill",
        "free: the control group knows the limit: 64 MiB",
        "live: docker stats shows the memory limit in force",
        "goal: 96 MiB of memory",
    },
    "drop_nano_cpus": {
        "limits: the CPU quota is one and a half periods",
        "quota: the quota in force is a quarter of the period",
        "quota: and three quarters for the other",
        "goal: half a CPU",
    },
    "drop_cpu_shares": {
        "limits: the weight is what 512 shares come to",
        "shares: the one with 1024 shares has the greater weight",
    },
    "drop_pids_limit": {
        "pids: the limit in force is 20",
        "pids: there were never more",
        "pids: the program itself is one of them: 19 children",
        "pids: the others were refused with EAGAIN",
        "pids: and the kernel counted them",
        "goal: at most 50 processes",
    },
}
MAY = {
    # Only a machine without swap kills the program that has been allowed some.
    "drop_memory": {"swap: it lives if the machine has swap, and only then"},
    "drop_nano_cpus": {
        "quota: over time it used no more than a quarter of a CPU",
        "quota: it ran out of quota, unless others took the CPU",
        "quota: at p99 a request takes 20 ms or more",
        "live: and half a CPU in use, or less where others want it too",
    },
    "drop_cpu_shares": set(),
    "drop_pids_limit": set(),
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
def test_a_dropped_limit_fails_the_claims_about_it_and_no_other(
    claims: Callable[[str], set[str]], monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    monkeypatch.setenv(EXTENSION_VARIABLE, f"lying_gateway:{lie}")
    failed = claims(lie)
    assert failed >= MUST[lie]
    assert failed <= MUST[lie] | MAY[lie]
