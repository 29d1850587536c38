"""A second attempt for a few tests that failed, said openly: a real engine on a busy machine has bad moments.

What fails twice has failed. What passes the second time is named in the summary, so that it can be looked into. More
than a few failures are no bad moment and get no second attempt.
"""

import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

__all__ = ["FEW", "TELLS_LINES", "failed", "forget", "names", "second", "told"]

FEW = 3
"""This many tests and notebooks of a part may be tried again."""

TELLS_LINES = 12
"""Of what a test failed with, the last so many lines are told again at the end."""

LAST_FAILED = Path("v/cache/lastfailed")
"""Where pytest notes them in its `cache_dir`; what did not run keeps its note, hence `forget`."""


def forget(cache: Path) -> None:
    """Forget what failed in earlier runs."""
    (cache / LAST_FAILED).unlink(missing_ok=True)


def failed(cache: Path) -> list[str]:
    """Return the ids of the tests that failed in the run whose cache (pytest's `cache_dir`) that is."""
    file = cache / LAST_FAILED
    return sorted(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else []


def names(ids: Sequence[str]) -> list[str]:
    """Return what to try again: tests by their ids, and notebooks as a whole, for cells need those before them."""
    return list(dict.fromkeys(each.partition("::")[0] if ".ipynb::" in each else each for each in ids))


def second(command: Sequence[str], again: Sequence[str], root: Path) -> tuple[str, ...]:
    """Return `command` for these tests and notebooks alone."""
    kept = [word for word in command if not (root / word.partition("::")[0]).exists() or Path(word).is_absolute()]
    return (*kept, *again)


def told(case: ET.Element) -> str:
    """Return why a test failed, from its `testcase` in a JUnit file: its name and the end of its report; "" if not."""
    found = next((each for kind in ("failure", "error") if (each := case.find(kind)) is not None), None)
    if found is None:
        return ""
    report = [line for line in (found.text or found.get("message") or "").splitlines() if line.strip()]
    name = "::".join(filter(None, (case.get("classname"), case.get("name"))))
    return "\n    ".join((f"✗ {name}", *report[-TELLS_LINES:]))
