"""Values derived from a key: the same every time, and different for every student and purpose."""

import hmac
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

__all__ = ["Draw", "Values"]

T = TypeVar("T")

_ADJECTIVES = (
    "amber",
    "brisk",
    "calm",
    "dusky",
    "early",
    "faint",
    "glad",
    "hazy",
    "idle",
    "jolly",
    "keen",
    "lunar",
    "misty",
    "north",
    "odd",
    "plain",
    "quiet",
)
_NOUNS = (
    "anchor",
    "barge",
    "canoe",
    "dock",
    "eddy",
    "ferry",
    "gull",
    "harbor",
    "islet",
    "jetty",
    "keel",
    "lagoon",
    "mast",
    "oar",
    "pier",
    "quay",
    "raft",
    "sail",
)


class Values(Mapping[str, Any]):
    """A task's values for one student: `me.name`, `me["name"]`, and `me.fill("… {name} …")`."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        """Hold `values`."""
        self._values = dict(values)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Any:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._values:
            raise AttributeError(name)
        return self._values[name]

    def fill(self, text: str) -> str:
        """Put the values into `text` where it says `«name»`: braces belong to Docker's `--format`."""
        for name, value in self._values.items():
            text = text.replace(f"«{name}»", str(value))
        return text


class Draw:
    """Draws from one key: every `label` gives a value of its own, in whatever order they are asked for."""

    def __init__(self, key: str, purpose: str) -> None:
        """Draw for `purpose` (lab and task) from `key`."""
        self._key = key.encode()
        self._purpose = purpose

    def number(self, label: str, low: int, high: int, step: int = 1) -> int:
        """Return an integer from `low` to `high`, both included, in steps of `step`."""
        return low + step * (self._raw(label) % ((high - low) // step + 1))

    def one_of(self, label: str, choices: Sequence[T]) -> T:
        """Return one of `choices`."""
        return choices[self._raw(label) % len(choices)]

    def name(self, label: str) -> str:
        """Return a name for a container, an image, a network: `calm-ferry-3f2`."""
        raw = self._raw(label)
        adjective, noun = _ADJECTIVES[raw % len(_ADJECTIVES)], _NOUNS[raw // 64 % len(_NOUNS)]
        return f"{adjective}-{noun}-{raw % 4096:03x}"

    def token(self, label: str) -> str:
        """Return twelve hexadecimal digits."""
        return f"{self._raw(label):032x}"[-12:]

    def _raw(self, label: str) -> int:
        return int.from_bytes(hmac.new(self._key, f"{self._purpose}:{label}".encode(), "sha256").digest()[:16], "big")
