"""Every notebook runs again after its kernel was killed half-way, and twice in a row, and nothing is left by any."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from docker_tutor import paths
from docker_tutor.dev import suite
from docker_tutor.dev.listing import Listing, settled
from docker_tutor.engines.base import Engine

pytestmark = pytest.mark.engine

NOTEBOOKS = sorted((paths.checkout() / "notebooks").glob("*.ipynb"))
CLEARED_WITHIN_S = 60


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_twice_after_its_kernel_was_killed_and_leaves_nothing(
    path: Path, stocked: Engine, before: Listing
) -> None:
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    middle = len(cells) // 2
    with _kernel(path.parent) as (manager, client):
        for source in cells[:middle]:
            reply = client.execute_interactive(
                source, timeout=suite.CELL_TIMEOUT_S, allow_stdin=False, output_hook=_nowhere
            )
            assert reply["content"]["status"] == "ok", reply["content"]
        _kill_while_it_works(manager, client, cells[middle])
    assert settled(stocked.address, before, CLEARED_WITHIN_S) == []

    for _turn in range(2):
        words = suite.nbval_command(path)
        run = subprocess.run(words, cwd=paths.checkout(), capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
        assert settled(stocked.address, before, CLEARED_WITHIN_S) == []


@contextmanager
def _kernel(folder: Path) -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(folder))
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _kill_while_it_works(manager: KernelManager, client: BlockingKernelClient, source: str) -> None:
    message = client.execute(source, allow_stdin=False)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        said = client.get_iopub_msg(timeout=60)
        if said["parent_header"].get("msg_id") == message and said["content"].get("execution_state") == "busy":
            break
    os.kill(manager.provisioner.process.pid, signal.SIGKILL)
    manager.provisioner.process.wait()


def _nowhere(_message: dict[str, object]) -> None:
    """Show nothing of what the cells print."""
