"""A kernel for student code: a process of its own, in PID and mount namespaces of its own, that can always be ended.

Ending the first process of a PID namespace ends every process in it (`man 7 pid_namespaces`): whatever a cell forked,
daemonised or left behind goes with the kernel. Of a cgroup's controllers `pids` and `memory` keep it from taking the
machine's, where this user may make cgroups.
"""

import atexit
import os
import resource
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

from docker_tutor.engines.private import cgroups
from docker_tutor.errors import SeatFailed
from docker_tutor.grading.cellrunner import CellRunner
from docker_tutor.i18n import _

__all__ = ["Kernel"]

_STARTS_WITHIN_S = 60
_LARGEST_FILE = 512 << 20
_LIMITS = (
    ("pids", "pids.max", 256),
    ("memory", "memory.limit_in_bytes", 1 << 30),
    ("", "pids.max", 256),
    ("", "memory.max", 1 << 30),
)
"""For all that cells start together; the trees of cgroup version 1 by name, that of version 2 without."""


_GROUPS = "docker-tutor-cells-"


class _Manager(KernelManager):
    """A kernel manager that starts one given command instead of an installed kernel."""

    words: tuple[str, ...] = ()

    @property
    def kernel_spec(self) -> KernelSpec:
        return KernelSpec(argv=list(self.words), display_name="student", language="python", interrupt_mode="message")


class Kernel(CellRunner):
    """A kernel of the trusted mode: a process of this machine."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str], sockets: Path, apart: Sequence[str] | None = None
    ) -> None:
        """Start it in `folder` with exactly `environment`; it is spoken to through `sockets`, a folder.

        `apart` is the command that starts another one in namespaces of its own; None for the usual one. Raises
        SeatFailed.
        """
        # Sockets of the file system, in a folder that only this user can enter: not TCP ports that anyone can.
        file = str(sockets / "kernel.json")
        self._manager = _Manager(transport="ipc", ip=str(sockets / "cells"), connection_file=file)
        before = _apart() if apart is None else tuple(apart)
        _forget_those_of_the_killed()
        atexit.unregister(_forget_group)
        atexit.register(_forget_group)  # all kernels of this process share the group: it goes with the process
        self._manager.words = (*before, sys.executable, "-m", "ipykernel_launcher", "-f", file)
        try:
            self._manager.write_connection_file()
            (sockets / "kernel.json").chmod(0o644)  # who may enter the folder may read it, whoever starts the kernel
            self._manager.start_kernel(cwd=str(folder), env=dict(environment), preexec_fn=_limited)
            self._connect(self._manager.client())
            self._client.wait_for_ready(timeout=_STARTS_WITHIN_S)
        except (RuntimeError, OSError) as error:
            self.close()
            raise SeatFailed(_("The process for student code did not start: {error}").format(error=error)) from error

    def alive(self) -> bool:
        """Whether the kernel's process is there."""
        return bool(self._manager.is_alive())

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


def _apart() -> tuple[str, ...]:
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
    return f"{_GROUPS}{pid}"


def _forget_group() -> None:
    cgroups.remove(f"/{_group(os.getpid())}")


def _forget_those_of_the_killed() -> None:
    """Remove the groups of graders that were killed: their kernels went with them, the groups did not."""
    names = {path.name for path in Path("/sys/fs/cgroup").glob(f"*/{_GROUPS}*")} | {
        path.name for path in Path("/sys/fs/cgroup").glob(f"{_GROUPS}*")
    }
    for name in names:
        pid = name.removeprefix(_GROUPS)
        if pid.isdigit() and not Path("/proc", pid).exists():
            cgroups.remove(f"/{name}")


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [*parent.children(recursive=True), parent]
    except psutil.NoSuchProcess:
        return []
