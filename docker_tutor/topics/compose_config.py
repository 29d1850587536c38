"""What Compose makes of one file and of several: the merged model, compared key by key.

Source: the Compose specification, "Merge" (lists are appended, maps are merged, `!override` replaces).
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from docker_tutor.classroom.room import Room

__all__ = ["Comparison", "Difference", "compare", "model"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One key of the model that is not the same on both sides."""

    key: str
    """The path of keys from the top, dots between them: `services.api.ports`."""
    left: str
    """The value as JSON; empty where the key is missing."""
    right: str

    @property
    def rule(self) -> str:
        """What happened to the key: `added`, `removed`, `appended` (a list that grew at its end) or `replaced`."""
        if not self.left:
            return "added"
        if not self.right:
            return "removed"
        old, new = json.loads(self.left), json.loads(self.right)
        if isinstance(old, list) and isinstance(new, list) and all(item in new for item in old):
            return "appended"
        return "replaced"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models, and every key in which they differ."""

    left: str
    right: str
    differences: tuple[Difference, ...]

    def at(self, key: str) -> Difference:
        """Return the difference at `key`. Raises KeyError when the two agree there."""
        for difference in self.differences:
            if difference.key == key:
                return difference
        raise KeyError(key)

    def to_frame(self) -> pd.DataFrame:
        """Return one line per key."""
        rows = [(d.key, d.left, d.right, d.rule) for d in self.differences]
        return pd.DataFrame(rows, columns=["key", self.left, self.right, "rule"])


def model(room: Room, *files: str, folder: Path | None = None, env: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the model that Compose makes of `files`: `docker compose -f … config --format json`.

    Without `files`, Compose looks for its own: `compose.yaml` and `compose.override.yaml`.
    The folder itself is written as `.`, so that a model looks the same on every machine.
    Raises CommandFailed with Compose's own words when the files are not valid.
    """
    options = [word for file in files for word in ("-f", file)]
    done = room.cli("compose", *options, "config", "--format", "json", cwd=folder, env=env)
    here = json.dumps(str(folder or room.folder))[1:-1]
    merged: dict[str, Any] = json.loads(done.stdout.replace(here, "."))
    return merged


def compare(left: tuple[str, dict[str, Any]], right: tuple[str, dict[str, Any]]) -> Comparison:
    """Compare two named models key by key; lists count as one value."""
    old, new = dict(_leaves(left[1])), dict(_leaves(right[1]))
    keys = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    return Comparison(left[0], right[0], tuple(Difference(key, old.get(key, ""), new.get(key, "")) for key in keys))


def _leaves(value: Any, path: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict) and value:
        return [leaf for key, below in value.items() for leaf in _leaves(below, f"{path}.{key}" if path else key)]
    return [(path, json.dumps(value, sort_keys=True))]
