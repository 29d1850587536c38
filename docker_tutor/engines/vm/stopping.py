"""Stop a virtual machine, whatever state it is in: in good order by its keeper, else by what is recorded of it."""

import shutil
import signal

from docker_tutor.engines.private.state import read
from docker_tutor.engines.vm.layout import Layout
from docker_tutor.engines.vm.sessions import end_sessions, in_sessions
from docker_tutor.errors import EngineError
from docker_tutor.i18n import _
from docker_tutor.processes import Process

__all__ = ["leftovers", "processes", "purge", "stop"]

GRACE_S = 25
"""More than the keeper gives the guest."""
SAVING_GRACE_S = 100


def stop(layout: Layout, *, saving: bool = False) -> None:
    """Stop everything and remove the runtime folder. Raises `EngineError` naming what would not go.

    With `saving` the state of a machine that can be saved is kept, for the next start.
    """
    state = read(layout.state)
    if state:
        keeper = state.process("keeper")
        ask, grace_s = (signal.SIGUSR2, SAVING_GRACE_S) if saving else (signal.SIGTERM, GRACE_S)
        if keeper and not keeper.end(ask, grace_s):
            keeper.end(signal.SIGKILL, GRACE_S)
        if left := end_sessions(state):
            raise EngineError(
                _("The engine stopped, and these would not go: {left}").format(
                    left=", ".join(f"process {process.pid}" for process in left)
                )
            )
    if layout.runtime.exists():
        shutil.rmtree(layout.runtime)


def purge(layout: Layout) -> None:
    """Remove the guest's disk and the logs."""
    if layout.data.exists():
        shutil.rmtree(layout.data)


def processes(layout: Layout) -> list[Process]:
    """Return what runs of a machine, its keeper and the guest's processes among it."""
    state = read(layout.state)
    keeper = state.process("keeper") if state else None
    return [*(in_sessions(state) if state else ()), *([keeper] if keeper else [])]


def leftovers(layout: Layout) -> list[str]:
    """Name the processes that are still there of a machine."""
    state = read(layout.state)
    return [f"process {process.pid}" for process in in_sessions(state)] if state else []
