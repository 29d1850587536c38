"""A pytest plugin: when a cell takes too long, note what it waits for while that can still be seen.

nbval interrupts a cell that has used up its time, and then the programs it ran are gone. Under emulation, where all
takes many times as long, a cell has more time.
"""

import os
import threading
import time
from collections.abc import Generator

import psutil
import pytest

__all__ = ["AFTER_S", "EMULATED_S", "pytest_configure", "pytest_runtest_call", "waiting"]

AFTER_S = 150
"""Longer than any cell takes, shorter than nbval's limit for one."""
EMULATED_S = 900
"""The limit for a cell on QEMU: the first cell of chapter 7 has five images read by an emulated processor."""


def pytest_configure(config: pytest.Config) -> None:
    """Give each cell as long as `EMULATED_S` on QEMU."""
    if os.environ.get("DOCKER_TUTOR_ENGINE") == "qemu":
        config.option.nbval_cell_timeout = max(getattr(config.option, "nbval_cell_timeout", 0), EMULATED_S)


def waiting() -> str:
    """Return the processes below this one with their ages in seconds, the oldest first."""
    now = time.time()
    lines = []
    for process in psutil.Process().children(recursive=True):
        try:
            words, age = " ".join(process.cmdline()), now - process.create_time()
            lines.append(
                (age, f"{age:6.0f} s  {process.pid} below {process.ppid()}, {process.status()}: {words[:300]}")
            )
        except psutil.NoSuchProcess:
            continue  # it has ended while it was looked at, so nobody waits for it
    return "\n".join(line for _age, line in sorted(lines, reverse=True))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Add to the report of a test what ran below it after `AFTER_S`."""
    seen: list[str] = []
    timer = threading.Timer(AFTER_S, lambda: seen.append(waiting()))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        for text in seen:
            item.add_report_section("call", f"processes after {AFTER_S} s", text)
