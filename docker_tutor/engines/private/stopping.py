"""Stop a private engine, whatever state it is in: by its record, and by what proves a process to be its own.

A process belongs to the engine when it is recorded with its start time, or lives in the network namespace that we
hold, or in the cgroup of its containers, or is one of its programs with the engine's own folder among its
arguments. Anything else is never touched.
"""

import http.client
import os
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from docker_tutor.engines.asking import ask
from docker_tutor.engines.private import cgroups, namespaces
from docker_tutor.engines.private.layout import Layout
from docker_tutor.engines.private.state import read
from docker_tutor.errors import EngineError
from docker_tutor.i18n import _
from docker_tutor.paths import cache_folder
from docker_tutor.processes import Process, kill_all, running

__all__ = ["leftovers", "processes", "purge", "stop"]

CONTAINER_GRACE_S = 2
DAEMON_GRACE_S = 10
ROUNDS = 10
KEEPER = "docker_tutor.engines.private.keeper"


def stop(layout: Layout, *, keeper: Process | None = None) -> None:
    """Stop everything and remove the runtime folder. Raises `EngineError` naming what would not go.

    A `keeper` that calls this itself is left alone: it ends on its own.
    """
    state = read(layout.state)
    if state:
        recorded = state.process("keeper")
        if recorded and recorded != keeper:
            recorded.end(signal.SIGKILL, DAEMON_GRACE_S)  # it holds nothing that is not in the state
        if state.process("dockerd") and state.process("containerd"):
            _stop_containers(layout)
            for name in ("dockerd", "containerd", "slirp4netns"):
                if process := state.process(name):
                    process.end(signal.SIGTERM, DAEMON_GRACE_S)
        # Without one of the two the other cannot end in good order: it would wait for its time limit.
        kill_all([process for name in state.processes if (process := state.process(name)) != keeper and process], 5)
    _end_strays(layout, keeper)
    _remove_shim_sockets(layout)
    left = namespaces.unmount_below(layout.runtime, layout.data)
    left += cgroups.remove(layout.cgroup_parent)
    if left:
        raise EngineError(
            _("The engine stopped, and these would not go: {left}").format(left=", ".join(map(str, left)))
        )
    if layout.runtime.exists():
        shutil.rmtree(layout.runtime)


def purge(layout: Layout) -> None:
    """Remove the engine's data. Raises `EngineError` when something is still mounted there."""
    if still := namespaces.mounts_below(layout.data):
        raise EngineError(_("Not removed, because it is still mounted: {path}").format(path=still[0]))
    if layout.data.exists():
        shutil.rmtree(layout.data)


def leftovers(layout: Layout) -> list[str]:
    """Name what is still there of an engine: processes, mounts, cgroups. Empty after `stop`."""
    found = [f"process {process.pid}" for process in processes(layout)]
    found += [f"mount {point}" for point in namespaces.mounts_below(layout.runtime, layout.data)]
    return found + [f"cgroup {folder}" for folder in cgroups.trees(layout.cgroup_parent)]


def processes(layout: Layout) -> list[Process]:
    """Return what runs of an engine, its containers' processes among it."""
    return _strays(layout, None)


def _stop_containers(layout: Layout) -> None:
    """Let containers end in their own way, all at once; those that do not are killed after two seconds."""
    patience_s = CONTAINER_GRACE_S + DAEMON_GRACE_S

    def stop_one(container: str) -> None:
        ask(layout.socket, "POST", f"/containers/{container}/stop?t={CONTAINER_GRACE_S}", within_s=patience_s)

    try:
        ids = [container["Id"] for container in ask(layout.socket, "GET", "/containers/json")]
        if ids:
            with ThreadPoolExecutor(len(ids)) as pool:
                list(pool.map(stop_one, ids))
    except (OSError, ValueError, http.client.HTTPException):
        return  # the daemon does not answer any more: the containers are found by their cgroup


def _end_strays(layout: Layout, keeper: Process | None) -> None:
    for _round in range(ROUNDS):
        strays = _strays(layout, keeper)
        if not strays:
            return
        cgroups.thaw(layout.cgroup_parent)
        kill_all(strays, DAEMON_GRACE_S)


def _strays(layout: Layout, keeper: Process | None) -> list[Process]:
    namespace = namespaces.held(layout)
    inside = cgroups.processes(layout.cgroup_parent)
    ourselves = {os.getpid(), os.getppid()}
    return [
        process
        for process in running()
        if process.pid not in ourselves
        and process != keeper
        and (process in inside or _in_namespace(process, namespace) or _by_arguments(process, layout))
    ]


def _in_namespace(process: Process, inode: int | None) -> bool:
    try:
        return inode is not None and Path(f"/proc/{process.pid}/ns/net").stat().st_ino == inode
    except OSError:
        return False  # it ended, or is a kernel thread's


def _by_arguments(process: Process, layout: Layout) -> bool:
    try:
        arguments = Path(f"/proc/{process.pid}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
        program = str(Path(f"/proc/{process.pid}/exe").readlink())
    except OSError:
        return False
    own = program.startswith(f"{cache_folder().resolve()}/engines/") or KEEPER in arguments
    # The command line client is the learner's: it may name our socket, and ends by itself.
    return (
        own
        and not program.endswith("/docker")
        and any(str(folder) in argument for argument in arguments for folder in (layout.runtime, layout.data))
    )


def _remove_shim_sockets(layout: Layout) -> None:
    """Remove what killed shims leave in `/run/containerd/s`, a place that containerd fixes for everyone."""
    for file in layout.exec_root.glob("containerd/state/io.containerd.runtime.v2.task/moby/*/address"):
        address = file.read_text(encoding="utf-8").strip().removeprefix("unix://")
        if address.startswith("/run/containerd/s/"):
            Path(address).unlink(missing_ok=True)
