"""Await that a daemon says it is ready: the `sd_notify` protocol (`man 3 sd_notify`), without systemd."""

import os
import select
import socket
import time
from pathlib import Path
from typing import Self

from docker_tutor.errors import EngineStartFailed
from docker_tutor.i18n import _
from docker_tutor.processes import Process

__all__ = ["Readiness"]


class Readiness:
    """A socket for one daemon's `READY=1`. Use with `with`; give `environment` to the daemon."""

    def __init__(self, path: Path) -> None:
        """Listen at `path`."""
        path.unlink(missing_ok=True)
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_exc: object) -> None:
        """Close and remove the socket."""
        self._socket.close()
        self.path.unlink(missing_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        """What the daemon needs to find the socket."""
        return {"NOTIFY_SOCKET": str(self.path)}

    def wait(self, process: Process, log: Path, within_s: float) -> None:
        """Return when `process` is ready. Raises `EngineStartFailed` with its last words when it ends or is late."""
        until = time.monotonic() + within_s
        pidfd = process.open()
        watched: list[int | socket.socket] = [self._socket] if pidfd is None else [self._socket, pidfd]
        try:
            while True:
                # One that has ended already may still have left its word in the socket: look, do not wait.
                left = max(0.0, until - time.monotonic()) if pidfd is not None else 0
                ready = select.select(watched, [], [], left)[0]
                if self._socket in ready:
                    if b"READY=1" in self._socket.recv(4096):
                        return
                elif pidfd is None or not ready or pidfd in ready:
                    raise EngineStartFailed(_failed(log, ended=bool(ready) or pidfd is None, within_s=within_s))
        finally:
            if pidfd is not None:
                os.close(pidfd)


def _failed(log: Path, *, ended: bool, within_s: float) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
    said = "\n".join(lines)
    if ended:
        return _("{name} ended while it was starting. Its last words (all of them: {log}):\n{said}").format(
            name=log.stem, log=log, said=said
        )
    return _("{name} was not ready after {seconds:.0f} s. Its last words (all of them: {log}):\n{said}").format(
        name=log.stem, seconds=within_s, log=log, said=said
    )
