"""What a private engine has started, on disk: enough for any later process to find and stop it."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from docker_tutor.processes import Process, boot_id

__all__ = ["State", "read", "write_json"]


@dataclass(slots=True)
class State:
    """The processes that were started, and from which programs."""

    programs: str
    """The folder of the unpacked engine."""
    boot: str = field(default_factory=boot_id)
    processes: dict[str, Process] = field(default_factory=dict)

    def process(self, name: str) -> Process | None:
        """Return the process called `name` (`dockerd`, `containerd`, `slirp4netns`, `keeper`) if it still runs."""
        process = self.processes.get(name)
        return process if process and self.boot == boot_id() and process.alive else None

    def started(self, name: str, pid: int, file: Path) -> Process:
        """Record that `name` was started as `pid`, on disk at once."""
        process = Process.of(pid)
        if process is None:
            raise ProcessLookupError(pid)
        self.processes[name] = process
        write_json(file, asdict(self))
        return process


def read(file: Path) -> State | None:
    """Return the state in `file`; None when there is none, or when it is not one (half-written, another format).

    What a lost state had started is still found by its namespace, its cgroup and its arguments.
    """
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        processes = {name: Process(int(p["pid"]), int(p["started_ticks"])) for name, p in found["processes"].items()}
        return State(str(found["programs"]), str(found["boot"]), processes)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_json(file: Path, content: object) -> None:
    """Write `content` so that a reader sees the old or the new, never half of it."""
    written = file.with_name(f".{file.name}.{os.getpid()}")
    written.write_text(json.dumps(content, indent=1), encoding="utf-8")
    written.replace(file)
