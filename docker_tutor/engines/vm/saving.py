"""Write the state of a guest on QEMU to a file, and read it again: memory, processors and devices.

QEMU calls it a migration, from one QEMU to another; here the other one is started later. The guest rests before it is
saved and until all of it is read. Each page of memory has its place in the file (`mapped-ram`), and those that are
zero take room neither there nor, when it is read, in memory: out of a stream, zeros are looked at in memory that has to
be shared with what serves folders, and even to be looked at it is allocated. Those servers (virtiofsd) hand over which
files are known and open, by path.
Source: QEMU's manual, "Migration features: Mapped-ram" and "QEMU QMP Reference Manual" (10.0).
"""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Callable
from pathlib import Path

from docker_tutor.engines.vm.layout import Layout
from docker_tutor.engines.vm.qmp import Control, QemuRefused
from docker_tutor.engines.vm.saved import forget

__all__ = ["Saving", "load", "save"]

CAPABILITIES = ("events", "mapped-ram", "multifd")
CHANNELS = 2
"""As many threads read or write."""
UNBOUND = 1 << 40
"""Bytes a second: by default QEMU spares a network."""
ENDED = ("completed", "failed", "cancelled")
SAVE_WITHIN_S = 75
"""Less than the keeper waits for a sign of life."""
RESUME_WITHIN_S = 60
FAILURES = (QemuRefused, OSError, EOFError)

log = logging.getLogger("keeper")


class Saving:
    """The keeper's means to save its guest, and to let one that was saved go on."""

    def __init__(self, layout: Layout, end: socket.socket, tell: Callable[[dict[str, object]], None]) -> None:
        """Talk to QEMU over `end`, and to the guest through `tell`."""
        self._layout = layout
        self._control = Control(end)
        self._tell = tell
        self.rests = asyncio.Event()
        """To be set when the guest says that it may be saved."""
        self.saved = False

    async def begin(self, *, resumes: bool) -> str | None:
        """Let the guest go on if it `resumes`; return why it does not, else None."""
        try:
            async with asyncio.timeout(RESUME_WITHIN_S):
                await self._control.begin()
                if resumes:
                    log.info("QEMU answers")
                    await load(self._control, self._layout.saved_state)
                    log.info("its state is read")
                    await self._control.do("cont")
                    self._tell({"do": "go on", "now": time.time()})
                    log.info("goes on")
        except FAILURES as error:
            return str(error) or repr(error)
        if resumes:
            # It is used up. On a busy disk this takes longer than all of the above, perhaps until the next is saved.
            used = self._layout.saved_state.rename(self._layout.saved / "used")
            await asyncio.to_thread(used.unlink)
        return None

    async def save(self) -> bool:
        """Save the guest and end QEMU; return whether it did: if not, the guest has been told to go on."""
        try:
            async with asyncio.timeout(SAVE_WITHIN_S):
                self._tell({"do": "rest"})
                await self.rests.wait()
                self._layout.saved.mkdir(mode=0o700, exist_ok=True)
                await save(self._control, self._layout.saved_state)
        except FAILURES as error:
            log.error("not saved: %r", error)  # noqa: TRY400 - people read this log
            forget(self._layout)
            with contextlib.suppress(*FAILURES):
                await self._control.do("cont")
            return False
        self.saved = True
        with contextlib.suppress(EOFError):  # it may be gone before it answers
            await self._control.do("quit")
        return True


async def save(control: Control, file: Path) -> None:
    """Make the guest rest and write its state to `file`; it goes on resting.

    Raises `QemuRefused`, `OSError`, `EOFError`; then the guest has to be told to go on, and `file` may be half.
    """
    await control.do("stop")
    await _migrate(control, "migrate", file)


async def load(control: Control, file: Path) -> None:
    """Read the state of a guest from `file` into a QEMU that waits for it; the guest rests until it is told to go on.

    Raises `QemuRefused`, `OSError`, `EOFError`.
    """
    await _migrate(control, "migrate-incoming", file)


async def _migrate(control: Control, command: str, file: Path) -> None:
    wanted = [{"capability": name, "state": True} for name in CAPABILITIES]
    await control.do("migrate-set-capabilities", capabilities=wanted)
    await control.do("migrate-set-parameters", max_bandwidth=UNBOUND, multifd_channels=CHANNELS)
    await control.do(command, uri=f"file:{file}")
    if (status := await control.until("MIGRATION", ENDED)) != "completed":
        raise QemuRefused((await control.do("query-migrate")).get("error-desc", status))
