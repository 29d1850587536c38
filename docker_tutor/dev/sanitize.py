"""The same replacements as `pytest --nbval` makes, so that `refresh` and the tests agree on what is equal."""

import configparser
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from docker_tutor import paths

__all__ = ["IGNORED_KEYS", "comparable", "config_path", "from_file", "kinds"]

IGNORED_KEYS = frozenset(
    {
        "metadata",
        "traceback",
        "output_type",
        "name",
        "execution_count",
        "application/vnd.jupyter.widget-view+json",
        "image/png",
        "image/jpeg",
    }
)
"""What nbval never compares: pictures, widgets' random ids, and where an output came from."""

_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")

Output = Mapping[str, object]


def config_path() -> Path:
    """Return the file of replacements that the tests use."""
    return paths.checkout() / "tests" / "notebooks" / "sanitize.cfg"


def from_file(path: Path) -> Callable[[str], str]:
    """Return a function that makes the file's replacements in a text, in the file's order."""
    parser = configparser.RawConfigParser()
    parser.read_string(path.read_text(encoding="utf-8"), source=str(path))
    rules = [(re.compile(parser.get(name, "regex")), parser.get(name, "replace")) for name in parser.sections()]

    def sanitize(text: str) -> str:
        for pattern, replacement in rules:
            text = pattern.sub(replacement, text)
        return text

    return sanitize


def comparable(outputs: Sequence[Output], sanitize: Callable[[str], str]) -> dict[str, list[str]]:
    """Return what nbval compares of a cell's outputs: for each kind of content, the sanitized texts in order."""
    found: dict[str, list[str]] = defaultdict(list)
    for output in _joined(outputs):
        for key, value in output.items():
            if key in IGNORED_KEYS:
                continue
            contents = value.items() if key == "data" and isinstance(value, Mapping) else [(key, value)]
            for kind, content in contents:
                if kind not in IGNORED_KEYS:
                    found[str(kind)].append(sanitize(_text(content)))
    return dict(found)


def kinds(outputs: Sequence[Output]) -> list[tuple[str, ...]]:
    """Return what kinds of output there are, in order, without their content."""
    found = []
    for output in _joined(outputs):
        data = output.get("data")
        mimes = sorted(map(str, data)) if isinstance(data, Mapping) else []
        found.append((str(output["output_type"]), str(output.get("name", "")), *mimes))
    return found


def _joined(outputs: Sequence[Output]) -> list[Output]:
    """Join the pieces in which a stream happened to arrive, one stream after the other, as nbval does."""
    streams: dict[str, str] = defaultdict(str)
    others: list[Output] = []
    for output in outputs:
        if output["output_type"] == "stream":
            streams[str(output["name"])] += _text(output["text"])
        else:
            others.append(output)
    joined = [{"output_type": "stream", "name": name, name: text} for name, text in sorted(streams.items())]
    return [*joined, *others]


def _text(content: object) -> str:
    if isinstance(content, list):
        content = "".join(map(str, content))
    return _ESCAPES.sub("", str(content))
