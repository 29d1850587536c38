"""Every program that starts or ends on this machine, with the kernel's own timestamps.

The kernel's process connector sends a message for each fork, exec and exit, so that nothing is polled and
nothing is missed. Source: kernel documentation, "Kernel Connector", and `<linux/cn_proc.h>`. Needs root.
"""

import os
import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from docker_tutor.errors import CapabilityMissing
from docker_tutor.i18n import _

__all__ = ["Lifetime", "ProcessWatch"]

NETLINK_CONNECTOR = 11
CN_IDX_PROC = CN_VAL_PROC = 1
PROC_CN_MCAST_LISTEN = 1
NLMSG_DONE = 3
EXEC, EXIT = 0x00000002, 0x80000000
NETLINK_HEADER = struct.Struct("=IHHII")
CONNECTOR_HEADER = struct.Struct("=IIIIHH")
EVENT_HEADER = struct.Struct("=IIQ")
PIDS = struct.Struct("=II")
RECEIVE_BYTES = 1 << 16
QUEUE_BYTES = 4 << 20
"""What the kernel may keep for us: a machine that builds something starts thousands of programs a second."""
STOP = b"stop"


@dataclass(frozen=True, slots=True)
class Lifetime:
    """One program: from the exec that started it to its end, or to the next exec of the same process."""

    pid: int
    parent_pid: int
    words: tuple[str, ...]
    """The command line as it was just after the exec; empty when the program had ended before it could be read."""
    start_s: float
    """Seconds since the epoch."""
    end_s: float | None
    """None when it was still running."""


class ProcessWatch:
    """Collects lifetimes while its `with` block runs."""

    def __init__(self) -> None:
        """Open nothing yet."""
        self.lifetimes: list[Lifetime] = []
        self._running: dict[int, tuple[int, tuple[str, ...], float]] = {}
        # The kernel stamps its messages with the monotonic clock.
        self._epoch = time.time() - time.monotonic()

    def __enter__(self) -> Self:
        """Subscribe. Raises CapabilityMissing where the kernel does not let us."""
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_CONNECTOR)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, QUEUE_BYTES)
            self._socket.bind((0, CN_IDX_PROC))
            operation = struct.pack("=I", PROC_CN_MCAST_LISTEN)
            body = CONNECTOR_HEADER.pack(CN_IDX_PROC, CN_VAL_PROC, 0, 0, len(operation), 0) + operation
            self._socket.send(NETLINK_HEADER.pack(NETLINK_HEADER.size + len(body), NLMSG_DONE, 0, 0, 0) + body)
        except OSError as error:
            message = _(
                "This kernel does not tell us about starting programs ({why}): that needs root on a Linux machine"
            )
            raise CapabilityMissing(message.format(why=error.strerror)) from error
        self._bell, self._ear = socket.socketpair()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening; what still runs is kept with an open end."""
        self._bell.send(STOP)
        self._thread.join()
        for pid, (parent, words, start) in self._running.items():
            self.lifetimes.append(Lifetime(pid, parent, words, start, None))
        for end in (self._socket, self._bell, self._ear):
            end.close()
        self.lifetimes.sort(key=lambda life: life.start_s)

    def _listen(self) -> None:
        import selectors

        # What lives for milliseconds has to be looked at before it ends, however busy the machine is.
        with suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            selector.register(self._ear, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _mask in selector.select()}
                if self._socket in ready:
                    self._take(self._socket.recv(RECEIVE_BYTES))
                elif self._ear in ready:
                    return  # what the kernel had sent until now has been taken

    def _take(self, data: bytes) -> None:
        offset = NETLINK_HEADER.size + CONNECTOR_HEADER.size
        what, _cpu, nanoseconds = EVENT_HEADER.unpack_from(data, offset)
        if what not in (EXEC, EXIT):
            return
        thread, process = PIDS.unpack_from(data, offset + EVENT_HEADER.size)
        if what == EXIT and thread != process:
            return  # a thread ended, not the process
        at = self._epoch + nanoseconds / 1e9
        if process in self._running:
            parent, words, start = self._running.pop(process)
            self.lifetimes.append(Lifetime(process, parent, words, start, at))
        if what == EXEC:
            self._running[process] = (*_identity(process), at)


def _identity(pid: int) -> tuple[int, tuple[str, ...]]:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return 0, ()  # it has ended since
    parent = int(stat[stat.rindex(")") + 2 :].split()[1])
    return parent, tuple(os.fsdecode(word) for word in words.split(b"\0")[:-1])
