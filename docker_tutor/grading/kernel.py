"""A kernel for student code: a process of its own, in PID and mount namespaces of its own, that can always be ended.

Ending the first process of a PID namespace ends every process in it (`man 7 pid_namespaces`): whatever a cell forked,
daemonised or left behind goes with the kernel. Of a cgroup's controllers `pids` and `memory` keep it from taking the
machine's, where this user may make cgroups.
"""

import atexit
import os
import queue
import resource
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

from docker_tutor.engines.private import cgroups
from docker_tutor.errors import SeatFailed
from docker_tutor.grading.seats import Ran
from docker_tutor.i18n import _

__all__ = ["Kernel"]

_STARTS_WITHIN_S = 60
_INTERRUPTED_WITHIN_S = 3
_SENT_WITHIN_MS = 2000
_LONGEST = 4000
_LARGEST_FILE = 512 << 20
_LIMITS = (
    ("pids", "pids.max", 256),
    ("memory", "memory.limit_in_bytes", 1 << 30),
    ("", "pids.max", 256),
    ("", "memory.max", 1 << 30),
)
"""For all that cells start together; the trees of cgroup version 1 by name, that of version 2 without."""


class _Manager(KernelManager):
    """A kernel manager that starts one given command instead of an installed kernel."""

    words: tuple[str, ...] = ()

    @property
    def kernel_spec(self) -> KernelSpec:
        return KernelSpec(argv=list(self.words), display_name="student", language="python", interrupt_mode="message")


class Kernel:
    """Runs cells, one after the other. What a cell does never raises here."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str], sockets: Path, fence: Sequence[str] | None = None
    ) -> None:
        """Start it in `folder` with exactly `environment`; it is spoken to through `sockets`, a folder.

        `fence` is the command that starts another one apart from the rest; without it, that of a trusted class. Raises
        SeatFailed.
        """
        # Sockets of the file system, in a folder that only this user can enter: not TCP ports that anyone can.
        file = str(sockets / "kernel.json")
        self._manager = _Manager(transport="ipc", ip=str(sockets / "cells"), connection_file=file)
        before = _fenced() if fence is None else tuple(fence)
        atexit.unregister(_forget_group)
        atexit.register(_forget_group)  # all kernels of this process share the group: it goes with the process
        self._manager.words = (*before, sys.executable, "-m", "ipykernel_launcher", "-f", file)
        try:
            self._manager.write_connection_file()
            (sockets / "kernel.json").chmod(0o644)  # who may enter the folder may read it, whoever starts the kernel
            self._manager.start_kernel(cwd=str(folder), env=dict(environment), preexec_fn=_limited)
            self._client: BlockingKernelClient = self._manager.client()
            self._client.start_channels()
            for channel in (self._client.shell_channel, self._client.control_channel):
                # A kernel whose sockets a student has broken lives and takes nothing: sending must not wait for it.
                channel.socket.setsockopt(zmq.SNDTIMEO, _SENT_WITHIN_MS)
            self._client.wait_for_ready(timeout=_STARTS_WITHIN_S)
        except (RuntimeError, OSError) as error:
            self.close()
            raise SeatFailed(_("The process for student code did not start: {error}").format(error=error)) from error

    def run(self, source: str, within_s: float) -> Ran:
        """Run a cell, at most `within_s` seconds; one that does not let itself be interrupted loses its process."""
        if not self._manager.is_alive():
            return Ran("died", _("The process that runs cells is gone."))
        try:
            asked = self._client.execute(source, allow_stdin=False, stop_on_error=False)
        except zmq.Again:
            self.close()
            return Ran("died", _("The process that runs cells no longer listens."))
        written: list[str] = []
        status = self._collected(asked, written, time.monotonic() + within_s)
        if status == "late":
            with suppress(zmq.Again):  # it is ended below
                control = self._client.control_channel.socket
                self._client.session.send(control, self._client.session.msg("interrupt_request", {}))
            if self._collected(asked, written, time.monotonic() + _INTERRUPTED_WITHIN_S) == "late":
                self.close()
        elif status == "died":
            self.close()
        return Ran(status, "".join(written)[-_LONGEST:])

    def close(self) -> None:
        """End it and everything that it has started. May be called again."""
        process = getattr(self._manager.provisioner, "process", None)
        if process is not None:
            doomed = _family(process.pid)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            for each in doomed:
                with suppress(psutil.NoSuchProcess):
                    each.kill()
            psutil.wait_procs(doomed, timeout=5)
        with suppress(RuntimeError, OSError):
            self._manager.shutdown_kernel(now=True)
        client = getattr(self, "_client", None)
        if client is not None:
            client.stop_channels()
        self._manager.cleanup_resources()

    def _collected(self, asked: str, written: list[str], deadline: float) -> Any:
        """Read what the kernel publishes until it is idle again: `ok` or `error`, `late`, or `died`."""
        status = "ok"
        size = 0
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return "late"
            try:
                message = self._client.get_iopub_msg(timeout=min(left, 1))
            except queue.Empty:
                if not self._manager.is_alive():
                    return "died"
                continue
            if message["parent_header"].get("msg_id") != asked:
                continue
            content, kind = message["content"], message["msg_type"]
            if kind == "stream" and size < 16 * _LONGEST:
                written.append(content["text"])
                size += len(content["text"])
            elif kind == "error":
                status = "error"
                written.append(f"{content['ename']}: {content['evalue']}\n")
            elif kind == "status" and content["execution_state"] == "idle":
                return status


def _fenced() -> tuple[str, ...]:
    """Return the command that starts another one in namespaces of its own, where this user may."""
    unshare = shutil.which("unshare")
    if os.geteuid() != 0 or unshare is None:
        return ()
    return (unshare, "--pid", "--fork", "--mount-proc", "--kill-child=KILL")


def _limited() -> None:
    """Keep a runaway cell from filling a disk with one file, or a folder with core dumps."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for tree, file, limit in _LIMITS:
        group = Path("/sys/fs/cgroup", tree, _group(os.getppid()))
        if (group.parent / "cgroup.procs").exists() and (tree or (group.parent / "cgroup.controllers").exists()):
            with suppress(OSError):  # a container or a login without cgroups of its own
                group.mkdir(exist_ok=True)
                (group / file).write_text(str(limit), encoding="ascii")
                (group / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")


def _group(pid: int) -> str:
    return f"docker-tutor-cells-{pid}"


def _forget_group() -> None:
    cgroups.remove(f"/{_group(os.getpid())}")


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [*parent.children(recursive=True), parent]
    except psutil.NoSuchProcess:
        return []
