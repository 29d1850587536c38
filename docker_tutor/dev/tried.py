"""A pytest plugin: a claim that was not tried fails a notebook on every engine that can show all of them.

The replacements that nbval makes take the dash of such a claim (see `classroom.lacking`) for a tick, so that the stored
outputs are right on machines too.
"""

import os
from collections.abc import Generator
from typing import Any

import pytest

__all__ = ["LACKING", "pytest_runtest_call", "untried"]

LACKING = ("uml", "qemu")
"""Kinds of engines on which there are claims that cannot be tried."""


def untried(outputs: list[Any] | None) -> list[str]:
    """Return the claims of a cell's outputs, as nbval keeps them, that were not tried."""
    said = "".join(str(each.get("text", "")) for each in outputs or ())
    return [line for line in said.splitlines() if line.startswith("– ")]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a cell that passed with a claim untried."""
    yield
    left = untried(getattr(item, "test_outputs", None))
    if left and os.environ.get("DOCKER_TUTOR_ENGINE") not in LACKING:
        pytest.fail("\n".join(("not tried, on an engine that lacks nothing:", *left)), pytrace=False)
