"""The links that iptables' maintainer scripts would have made, to the variant that works with this kernel."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from docker_tutor.engines.private.layout import Layout
from docker_tutor.engines.programs import Programs
from docker_tutor.errors import EngineStartFailed
from docker_tutor.i18n import _

__all__ = ["link"]

NAMES = tuple(f"{family}{suffix}" for family in ("iptables", "ip6tables") for suffix in ("", "-save", "-restore"))
CHAIN = "DOCKER-TUTOR-TRY"
TRIALS = (
    ["--new-chain", CHAIN],
    ["--append", CHAIN, "--match", "addrtype", "--dst-type", "LOCAL", "--jump", "RETURN"],
    ["--flush", CHAIN],
    ["--delete-chain", CHAIN],
)


def link(layout: Layout, programs: Programs, environment: Mapping[str, str]) -> str:
    """Make the links and return the variant's name (`nft` or `legacy`).

    It is tried in the engine's own empty namespace, with a rule as Docker makes them: which of the two the
    kernel supports is what counts, the machine's own tables are not concerned. Raises `EngineStartFailed`.
    """
    said = ""
    for variant in ("nft", "legacy"):
        program = programs.path(f"xtables-{variant}-multi")
        for trial in TRIALS:
            command: list[str | Path] = [*layout.enter, program, "iptables", "--wait", "--table", "nat", *trial]
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(environment))
            if done.returncode:
                said = done.stderr.strip()
                break
        else:
            _make(layout.links, program)
            return variant
    raise EngineStartFailed(
        _("This kernel offers Docker no packet filter, so containers would have no network: {said}").format(said=said)
    )


def _make(folder: Path, program: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name in NAMES:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(program)
