"""Stand-ins for the layers below, until they are here."""

import os
from pathlib import Path

from docker_tutor.engines.base import Capabilities, EngineStatus, Tools
from docker_tutor.progress import Report, silent


class EarlyEngine:
    """The daemon at DOCKER_HOST."""

    kind = "existing"
    disposable = False

    @property
    def address(self) -> str:
        """The daemon's own address."""
        return os.environ["DOCKER_HOST"]

    @property
    def tools(self) -> Tools:
        """The programs that go with this engine."""
        return Tools()

    def up(self, report: Report = silent) -> None:
        """Do nothing."""

    def down(self, *, purge: bool = False) -> None:
        """Do nothing."""

    def status(self) -> EngineStatus:
        """Say that it runs."""
        return EngineStatus("existing", "running", "DOCKER_HOST is set.", self.address)

    def capabilities(self) -> Capabilities:
        """Make some up."""
        return Capabilities(
            "26.1.5",
            "1.45",
            "graph",
            "overlay2",
            1,
            "cgroupfs",
            2,
            4 << 30,
            True,
            "0.13",
            "2.26",
            True,
            False,
            ("runc",),
            False,
            True,
            True,
            True,
            True,
        )

    def logs(self) -> str:
        """Return nothing."""
        return ""


class EarlyDoor:
    """No gateway."""

    def __init__(self, address: str) -> None:
        self.address = address

    @classmethod
    def start(cls, upstream: str, scope: str, folder: Path, extension: str | None = None) -> "EarlyDoor":
        return cls(upstream)

    def calls(self) -> list[object]:
        return []

    def close(self) -> None:
        pass
