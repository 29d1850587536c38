"""What a gateway writes down: the calls that went through it, and the ledger of what cannot carry a label.

Both are files of JSON lines in the scope's folder, written by the gateway's process and read by anyone.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

__all__ = ["CALLS_FILE", "LEDGER_FILE", "Call", "Journal", "Ledger", "LedgerEntry", "read_calls", "read_ledger"]

CALLS_FILE = "calls.jsonl"
LEDGER_FILE = "ledger.jsonl"


@dataclass(frozen=True, slots=True)
class Call:
    """One request that went through the gateway, and how it ended."""

    method: str
    path: str
    """As the client sent it: API version, path and query."""
    status: int
    """HTTP status; 101 for a connection that was taken over; 0 when there was no answer."""
    started_s: float
    """Seconds since the epoch."""
    duration_s: float
    """From the request's head to the last byte of the answer, or to the end of a connection taken over."""
    request_bytes: int
    """Length of the body, or of what was sent over a connection taken over; heads not counted."""
    response_bytes: int
    upgraded: bool
    """Whether HTTP ended here and the connection carried something else (a terminal, BuildKit's gRPC)."""
    agent: str = ""
    """The client's User-Agent: it tells the CLI from Compose and from the SDK."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """Something that the scope made and that carries no label of it."""

    kind: str
    """`tag`, `image` (built, committed or imported), `pulled`, `volume` (anonymous), `alias`, `lent`
    (a real name given to a stand-in while a build ran), `warning`."""
    name: str
    """A tag, a volume's name, an alias, or a sentence (for `warning`)."""
    id: str = ""
    """The image id that the tag had, or the real name behind an alias."""
    at_s: float = 0.0
    """Seconds since the epoch."""
    earlier: str = ""
    """The image id that a tag had before the scope moved it."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """All entries of one scope, oldest first."""

    entries: tuple[LedgerEntry, ...] = ()

    def of(self, kind: str) -> tuple[LedgerEntry, ...]:
        """Return the entries of one kind, oldest first."""
        return tuple(entry for entry in self.entries if entry.kind == kind)

    def __iter__(self) -> Iterator[LedgerEntry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


@dataclass(slots=True)
class Journal:
    """The writing side: one open file each for calls and ledger, a line at a time, never rewritten."""

    folder: Path
    _calls: TextIO = field(init=False)
    _ledger: TextIO = field(init=False)
    _known: set[LedgerEntry] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self._calls = (self.folder / CALLS_FILE).open("a", buffering=1, encoding="utf-8")
        self._ledger = (self.folder / LEDGER_FILE).open("a", buffering=1, encoding="utf-8")

    def call(self, call: Call) -> None:
        """Write down one finished call."""
        self._calls.write(json.dumps(asdict(call)) + "\n")

    def note(self, kind: str, name: str, id: str = "", earlier: str = "") -> None:  # noqa: A002 - the daemon's word
        """Write down one ledger entry, once."""
        entry = LedgerEntry(kind, name, id, earlier=earlier)
        if entry not in self._known:
            self._known.add(entry)
            self._ledger.write(json.dumps(asdict(replace(entry, at_s=time.time()))) + "\n")

    def has(self, kind: str, name: str) -> bool:
        """Return whether there is such an entry of this gateway's."""
        return (kind, name) in self.names()

    def names(self) -> set[tuple[str, str]]:
        """Return kind and name of all entries of this gateway's."""
        return {(entry.kind, entry.name) for entry in self._known}

    def close(self) -> None:
        """Close both files."""
        self._calls.close()
        self._ledger.close()


def read_calls(folder: Path) -> list[Call]:
    """Read the calls of a scope, in the order in which they were started."""
    return sorted((Call(**line) for line in _lines(folder / CALLS_FILE)), key=lambda call: call.started_s)


def read_ledger(folder: Path) -> Ledger:
    """Read the ledger of a scope; empty when there is none."""
    return Ledger(tuple(LedgerEntry(**line) for line in _lines(folder / LEDGER_FILE)))


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    if not file.exists():
        return
    with file.open(encoding="utf-8") as stream:
        for line in stream:
            # A gateway killed while it wrote leaves half a line at the end; all before it still counts.
            if line.endswith("\n"):
                yield json.loads(line)
