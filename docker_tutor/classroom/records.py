"""What a learner has checked and predicted, kept in the data folder as one JSON object a line.

Each notebook has a file of its own, `records/NOTEBOOK.jsonl`, and each line is written at once by one
`write`, so that two kernels with the same notebook do not mix their lines (`man 2 open`, O_APPEND).
"""

import json
import logging
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from docker_tutor import paths

__all__ = ["Record", "append", "folder", "read"]

log = logging.getLogger(__name__)
_warned: set[str] = set()


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that happened in a notebook."""

    notebook: str
    scope: str
    kind: Literal["check", "prediction"]
    text: str
    """The claim, or the question."""
    held: bool | None
    """Whether the claim held, or the prediction was right; None when that cannot be said."""
    detail: str = ""
    """What was found, or the answer given."""
    at: str = ""
    """When, in UTC (ISO 8601); filled in by `append`."""


def folder() -> Path:
    """Return (and make) the folder of all records of this instance."""
    made = paths.data_folder() / "records"
    made.mkdir(parents=True, exist_ok=True)
    return made


def append(record: Record) -> None:
    """Write `record` down. A disk that is full or read-only never stops a lesson: it is said once, in the log."""
    entry = asdict(record) | {"at": datetime.now(UTC).isoformat(timespec="milliseconds")}
    line = json.dumps(entry, ensure_ascii=False) + "\n"
    try:
        handle = os.open(_file(record.notebook), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, line.encode())
        finally:
            os.close(handle)
    except OSError as error:
        if record.notebook not in _warned:
            _warned.add(record.notebook)
            log.warning("Your progress in %s is not being written down: %s", record.notebook, error)


def read(notebook: str) -> Iterator[Record]:
    """Yield what was recorded in `notebook`, oldest first; a line cut off by a crash is passed over."""
    try:
        lines = _file(notebook).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            yield Record(**json.loads(line))
        except (ValueError, TypeError) as error:
            log.info("A record of %s cannot be read: %s", notebook, error)


def _file(notebook: str) -> Path:
    return folder() / f"{re.sub(r'[^A-Za-z0-9._-]', '_', notebook)}.jsonl"
