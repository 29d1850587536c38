"""The checks on namespaces can fail: a gateway gives a container the engine's own, and the claims about that fail."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from docker_tutor import open_room
from docker_tutor.engines.base import Engine
from docker_tutor.gateway.handle import EXTENSION_VARIABLE
from docker_tutor.topics import probes

pytestmark = [pytest.mark.engine, pytest.mark.one_in(5)]

NOTEBOOK = "01-vm-vs-container.ipynb"

MUST = {
    "host_pid": {"namespaces: PIDs: its own", "pid: the same process is number 1 inside"},
    "host_uts": {"namespaces: the host name: its own", "uts: next door it has not", "uts: outside it has not"},
}
MAY = {
    # With one PID namespace for both, what each side counts differs only by what came and went between the counts.
    "host_pid": {"pid: inside, only its own processes are in sight"},
    "host_uts": set(),
}


@pytest.fixture
def claims(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], set[str]]:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import notebook_claims

    def failing(lie: str) -> set[str]:
        sections = notebook_claims.sections_of(*MUST[lie], *MAY[lie])
        return notebook_claims.failing_claims(NOTEBOOK, sections, ())

    return failing


@pytest.fixture
def engines_name_given_back(engine: Engine) -> Iterator[None]:
    """The lie about host names lets the demonstration rename the engine's own machine: undo it."""
    reading = "import json, socket; print(json.dumps(socket.gethostname()))"
    naming = "import json, socket, sys; socket.sethostname(sys.argv[1]); print(json.dumps(None))"
    with open_room("01-name", images=[probes.IMAGE]) as room:
        before = probes.inside(room, reading, "--uts=host")
    yield
    with open_room("01-name", images=[probes.IMAGE]) as room:
        probes.inside(room, naming, "--uts=host", "--cap-add=SYS_ADMIN", arguments=(before,))


@pytest.mark.usefixtures("engines_name_given_back")
@pytest.mark.parametrize("lie", MUST)
def test_a_namespace_of_the_engine_fails_the_claims_about_it_and_no_other(
    claims: Callable[[str], set[str]], monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    with monkeypatch.context() as lying:
        lying.setenv(EXTENSION_VARIABLE, f"lying_networks:{lie}")
        failed = claims(lie)
    assert failed >= MUST[lie]
    assert failed <= MUST[lie] | MAY[lie]
