"""A program that runs inside the guest beside its daemon, in what a fence shows of this machine.

Its root is the fence's: the same interpreter and packages under the same names, seen through the machine. It is nobody
there, may speak to the guest's daemon, and its control group has limits of its own.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

__all__ = ["Program"]


@dataclass(frozen=True, slots=True)
class Program:
    """What to start once the daemon answers."""

    words: tuple[str, ...]
    folder: str
    """One of the machine's shares: what may be written to."""
    environment: Mapping[str, str]
    shown: tuple[str, ...] = ()
    """Folders of the fence that it finds although they may be below `/tmp` or `/run`, which are its own."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Texts that it finds below `/run`, by name."""
    limits: Mapping[str, str] = field(default_factory=dict)
    """Of its control group, by file (Documentation/admin-guide/cgroup-v2.rst)."""

    def to_json(self) -> str:
        """Return it as the guest reads it."""
        return json.dumps(asdict(self))
