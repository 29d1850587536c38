"""What a machine is made of, written down for the process that keeps it."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from docker_tutor.engines.private.state import write_json
from docker_tutor.engines.vm.fence import Fence

__all__ = ["API_PORT", "NOT_PASSED_ON", "Machine", "Start"]

API_PORT = 2376
"""Where Docker listens in the guest."""
NOT_PASSED_ON = ("DOCKER_", "NOTIFY_SOCKET", "LISTEN_", "LD_", "TMPDIR", "TMP", "TEMP")


@dataclass(frozen=True, slots=True)
class Start:
    """How a program is started."""

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    descriptors: tuple[int, ...] = ()
    """What it inherits beside its console and lines, and whoever starts it closes."""
    cpus: frozenset[int] | None = None
    """The CPUs that it may run on; None for all that we may."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One guest, before it is started."""

    kind: str
    """`uml` or `qemu`."""
    image: str
    """The folder of the image."""
    memory_bytes: int
    memory_folder: str
    cpu: int
    api_port: int
    """At 127.0.0.1 of this machine."""
    parts: str = ""
    """The folder of QEMU's own parts."""
    accelerator: str = ""
    """`kvm` or `tcg` on QEMU."""
    networked: bool = True
    """Whether it has a network card."""
    shares: tuple[str, ...] = field(default=())
    """Folders that the guest sees under the same names."""
    fence: Fence | None = None
    """What it sees of this machine; without one, what its owner may see."""
    fingerprint: str = ""
    """Of what a saved state of it belongs to: see `saved`."""
    resumes: bool = False
    """Whether it goes on from such a state instead of booting."""
    silent_after_s: float = 90
    """A guest that has shown no sign of life for so long is ended: its first program is dead, and the rest spins."""

    def write(self, file: Path) -> None:
        """Write it down."""
        write_json(file, asdict(self))

    @classmethod
    def read(cls, file: Path) -> "Machine":
        """Read what `write` wrote. Raises `OSError`, `ValueError`."""
        found = json.loads(file.read_text(encoding="utf-8"))
        try:
            fence = Fence.from_json(found["fence"]) if found.get("fence") else None
            return cls(**{**found, "shares": tuple(found["shares"]), "fence": fence})
        except (KeyError, TypeError) as error:  # of another version of the course
            raise ValueError(str(error)) from error

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its programs: ours, without what configures another Docker or another loader."""
        return {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
