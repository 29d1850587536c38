"""Where `docker logs` comes from: one program under several logging drivers, and what each keeps, where.

Source: Docker's documentation of `--log-driver`; `json-file` and `local` write below the engine's data root.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from docker_tutor.classroom.room import Room

__all__ = ["DRIVERS", "Kept", "LogDrivers", "compare"]

DRIVERS = ("json-file", "local", "none")
LINES = 2000
LINE = "one line of the log, as long as lines of logs are: 200 OK GET /index.html"


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of one container's output under one driver."""

    driver: str
    written_bytes: int
    """What the program wrote to its standard output."""
    read_back_bytes: int
    """What `docker logs` gave back."""
    complaint: str
    """What `docker logs` said instead, if it refused."""
    file: str
    """The file below the container's own folder; empty when there is none or it cannot be seen from here."""
    file_bytes: int | None
    """Its size; None when it cannot be seen from here."""
    first_line: str
    """How the file begins."""


@dataclass(frozen=True, slots=True)
class LogDrivers:
    """The same output under each driver."""

    kept: tuple[Kept, ...]

    def of(self, driver: str) -> Kept:
        """Return what one driver kept."""
        return next(each for each in self.kept if each.driver == driver)

    def to_frame(self) -> pd.DataFrame:
        """Return one line per driver."""
        rows = [
            (k.driver, k.written_bytes, k.read_back_bytes, k.file or "–", k.file_bytes, k.first_line or k.complaint)
            for k in self.kept
        ]
        columns = ["driver", "written_bytes", "docker_logs_bytes", "file", "file_bytes", "it begins, or says"]
        return pd.DataFrame(rows, columns=columns)


def compare(
    room: Room, drivers: Sequence[str] = DRIVERS, *, image: str = "alpine:3.19", lines: int = LINES
) -> LogDrivers:
    """Let one program write `lines` lines under each driver, and look at what is kept."""
    return LogDrivers(tuple(_kept(room, driver, image, lines) for driver in drivers))


def _kept(room: Room, driver: str, image: str, lines: int) -> Kept:
    name = room.unique(f"log-{driver}")
    program = f"i=0; while [ $i -lt {lines} ]; do echo '{LINE}'; i=$((i + 1)); done"
    room.cli("run", "-d", "--name", name, "--network", "none", "--log-driver", driver, image, "sh", "-c", program)
    try:
        room.wait.exit(name)
        logs = room.cli("logs", name, check=False)
        found = room.api.inspect_container(name)
        file = _file(room, str(found["Id"]), str(found["LogPath"])) if room.capabilities.host_layers else None
        return Kept(
            driver,
            written_bytes=lines * (len(LINE) + 1),
            read_back_bytes=len(logs.stdout.encode()),
            complaint=logs.stderr.strip() if logs.returncode else "",
            file=_shown(file, str(found["Id"])) if file else "",
            file_bytes=file.stat().st_size if file else None,
            first_line=_beginning(file) if file else "",
        )
    finally:
        room.cli("rm", "-f", name)


def _file(room: Room, container_id: str, log_path: str) -> Path | None:
    if log_path:
        return Path(log_path)
    # Only json-file says in `inspect` where it writes.
    folder = Path(str(room.api.info()["DockerRootDir"]), "containers", container_id)
    return next(iter(folder.glob("local-logs/*.log")), None)


def _shown(file: Path, container_id: str) -> str:
    return f"{file.parent.name}/{file.name}".replace(container_id, "ID").removeprefix("ID/")


def _beginning(file: Path) -> str:
    with file.open("rb") as opened:
        first = opened.read(90).partition(b"\n")[0]
    return "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in first)
