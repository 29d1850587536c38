"""A kernel for student code inside the guest: the machine starts it, and its five channels are doors of the machine.

Out here they are sockets in a folder that only this user can enter; in there, ports. What goes over them is ZeroMQ's
own protocol either way, signed with a key of this kernel's.

Source: https://jupyter-client.readthedocs.io/en/stable/kernels.html (connection files).
"""

import json
import os
import queue
import secrets
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient

from docker_tutor.engines.private.slirp import GUEST
from docker_tutor.engines.private.state import read
from docker_tutor.engines.vm.engine import VmEngine
from docker_tutor.engines.vm.program import Program
from docker_tutor.errors import SeatFailed
from docker_tutor.grading.cellrunner import CellRunner
from docker_tutor.i18n import _
from docker_tutor.units import MiB

__all__ = ["Doors", "GuestKernel"]

_STARTS_WITHIN_S = 120
_ASKED_EVERY_S = 1
_CHANNELS = ("shell", "iopub", "stdin", "control", "hb")
_FIRST_PORT = 7600
_LIMITS = {"pids.max": "256", "memory.max": str(400 * MiB), "memory.swap.max": "0"}
"""For all that cells start together: the daemon, which is in another control group, goes on."""


class Doors:
    """How a kernel in a guest is reached, decided before either is started."""

    def __init__(self, folder: Path) -> None:
        """Have its sockets in `folder`."""
        self._key = secrets.token_hex(16)
        self._prefix = folder / "cell"
        self.ports = {f"{self._prefix}-{number}": _FIRST_PORT + number for number in range(1, len(_CHANNELS) + 1)}

    def program(self, folder: Path, environment: Mapping[str, str], shown: Sequence[str]) -> Program:
        """Return the kernel as a program for the guest, working in `folder` with exactly `environment`.

        `shown` are folders of the fence that it finds wherever they are, also below `/tmp` and `/run`.
        """
        ports = {f"{name}_port": port for name, port in zip(_CHANNELS, self.ports.values(), strict=True)}
        connection = {"transport": "tcp", "ip": GUEST, **ports, **self._signed()}
        return Program(
            words=(sys.executable, "-m", "ipykernel_launcher", "-f", "/run/kernel.json"),
            folder=str(folder),
            environment=dict(environment),
            shown=tuple(shown),
            files={"kernel.json": json.dumps(connection)},
            limits=_LIMITS,
        )

    def client(self) -> BlockingKernelClient:
        """Return what speaks to it from here; nothing is connected yet."""
        client = BlockingKernelClient()
        numbers = {f"{name}_port": number for number, name in enumerate(_CHANNELS, start=1)}
        told: Any = {"transport": "ipc", "ip": str(self._prefix), **numbers, **self._signed()}
        client.load_connection_info(told)
        return client

    def _signed(self) -> dict[str, str]:
        return {"key": self._key, "signature_scheme": "hmac-sha256"}


class GuestKernel(CellRunner):
    """A kernel inside a machine, which has started it."""

    def __init__(self, engine: VmEngine, doors: Doors) -> None:
        """Wait until it answers. Raises SeatFailed when it does not."""
        self._layout = engine.layout
        self._connect(doors.client())
        if not self._answers():
            self.close()
            raise SeatFailed(_("The process for student code did not start inside the virtual machine."))

    def alive(self) -> bool:
        """Whether it has not ended, and neither has the machine."""
        gone = (self._layout.program_ended, self._layout.ended)
        return self._layout.ready.exists() and not any(path.exists() for path in gone)

    def _answers(self) -> bool:
        """Ask until it answers on both channels that are read: what is published before they are connected is lost."""
        until = time.monotonic() + _STARTS_WITHIN_S
        silent = [self._client.get_shell_msg, self._client.get_iopub_msg]
        while silent and self.alive() and time.monotonic() < until:
            self._client.kernel_info()
            with suppress(queue.Empty):
                while silent:
                    silent[0](timeout=_ASKED_EVERY_S)
                    silent.pop(0)
        return not silent

    def close(self) -> None:
        """Let the machine end it, and everything that it has started."""
        self._client.stop_channels()
        state = read(self._layout.state)
        if state and (keeper := state.process("keeper")):
            os.kill(keeper.pid, signal.SIGUSR1)
