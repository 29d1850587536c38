"""Spare engines: further private ones beside the learner's own, for what an engine must be broken or doubled for.

::

    with spare("live", settings={"live-restore": True}, runtimes={"crun": Path("…/crun")}) as engine:
        engine.address                         # a daemon with nothing in it, ready
        engine.kill_daemon()                   # SIGKILL to dockerd, and to nothing else
        engine.start_daemon()                  # dockerd alone, beside the containerd that lived on
        engine.layout.network_namespace        # a path to join, as `ip link set … netns` and `nsenter --net=` take it
        engine.tools.enter                     # the command that runs another one inside

Each has folders, namespaces and a cgroup of its own and is gone, with its data, at the end of the `with` block. Of a
process that was killed, `sparewatch` takes them down; where that was killed too, they are found by `remove_abandoned`,
which every `up`, every room and `docker-tutor clean` calls. `docker-tutor engine down` takes down all of them.
`room.spare(…)` gives a whole room on one.
"""

import json
import secrets
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from os import getpid
from pathlib import Path

from filelock import FileLock

from docker_tutor.engines.private import starting, stopping
from docker_tutor.engines.private.engine import PrivateEngine, possible
from docker_tutor.engines.private.layout import Layout
from docker_tutor.engines.private.state import read, write_json
from docker_tutor.engines.sparewatch import watched
from docker_tutor.errors import CapabilityMissing, EngineStartFailed
from docker_tutor.i18n import _
from docker_tutor.paths import data_folder, instance, runtime_folder
from docker_tutor.processes import Process, boot_id
from docker_tutor.progress import Report, silent

__all__ = ["SpareEngine", "abandoned", "remove_abandoned", "remove_all", "require", "spare"]

PREFIX = "spare-"
OWNER = "owner.json"
ENDS_WITHIN_S = 20


class SpareEngine(PrivateEngine):
    """A private engine that may be broken: made by `spare`."""

    @property
    def daemon_pid(self) -> int:
        """The PID of the dockerd that runs now. Raises EngineStartFailed when none does."""
        return self._daemon().pid

    def kill_daemon(self, signal_number: int = signal.SIGKILL) -> None:
        """Send dockerd a signal and wait for its end; containerd and the shims are not touched.

        Raises EngineStartFailed when it does not run, or outlives the signal by 20 s.
        """
        if not self._daemon().end(signal_number, ENDS_WITHIN_S):
            late = _("dockerd has not ended {seconds} s after the signal.")
            raise EngineStartFailed(late.format(seconds=ENDS_WITHIN_S))

    def start_daemon(self) -> None:
        """Start dockerd again with the settings it had; containerd has to be there. Raises EngineStartFailed."""
        state = read(self.layout.state)
        if state is None or not state.process("containerd"):
            raise EngineStartFailed(_("There is no containerd for dockerd to go back to."))
        starting.start_daemon(self.layout, state)

    def _daemon(self) -> Process:
        state = read(self.layout.state)
        process = state.process("dockerd") if state else None
        if process is None:
            raise EngineStartFailed(_("No dockerd runs in this spare engine."))
        return process


def require() -> None:
    """Go on only where a further engine can be had. Raises CapabilityMissing with one clear sentence."""
    if reason := possible():
        raise CapabilityMissing(_("This needs a second engine beside yours. {reason}").format(reason=reason))


@contextmanager
def spare(
    name: str,
    *,
    settings: Mapping[str, object] | None = None,
    runtimes: Mapping[str, Path] | None = None,
    report: Report = silent,
) -> Iterator[SpareEngine]:
    """Have a further engine for a `with` block.

    `settings` are added to its `daemon.json`; `runtimes` are OCI runtimes by name. Keep `name` short: it is part of
    a socket's path. Raises CapabilityMissing where a private engine cannot run, EngineStartFailed, PackageError.
    """
    require()
    own = {"runtimes": {each: {"path": str(path)} for each, path in runtimes.items()}} if runtimes else {}
    with watched():
        engine = SpareEngine(_claimed(name), settings={**(settings or {}), **own})
        try:
            engine.up(report)
            yield engine
        finally:
            _remove(engine.layout)


def abandoned() -> list[str]:
    """Name the spare engines whose process has gone."""
    return [layout.name for layout in _layouts() if not _owned(layout)]


def remove_abandoned() -> list[str]:
    """Take down the spare engines whose process has gone, and return their names. Raises EngineError."""
    return _remove_if(lambda layout: not _owned(layout))


def remove_all() -> list[str]:
    """Take down every spare engine of this instance, in use or not, and return their names. Raises EngineError."""
    return _remove_if(lambda _layout: True)


def _remove_if(wanted: Callable[[Layout], bool]) -> list[str]:
    if not any(_layouts()):
        return []
    with _alone():
        doomed = [layout for layout in _layouts() if wanted(layout)]
        for layout in doomed:
            _remove(layout)
    return [layout.name for layout in doomed]


def _claimed(name: str) -> Layout:
    with _alone():
        layout = _layout(f"{PREFIX}{name}-{secrets.token_hex(2)}")
        layout.runtime.parent.mkdir(mode=0o700)
        layout.data.parent.mkdir(mode=0o700)
        owner = Process.of(getpid())
        if owner is not None:
            write_json(layout.runtime.parent / OWNER, {"boot": boot_id(), **asdict(owner)})
    return layout


def _owned(layout: Layout) -> bool:
    try:
        said = json.loads((layout.runtime.parent / OWNER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(said["boot"] == boot_id() and Process(said["pid"], said["started_ticks"]).alive)


def _remove(layout: Layout) -> None:
    stopping.stop(layout)
    for folder in (layout.data.parent, layout.runtime.parent):
        # The runtime folder goes last: as long as it is there, what a killed removal left is found again.
        if folder.exists():
            shutil.rmtree(folder)


def _layouts() -> list[Layout]:
    return [_layout(folder.name) for folder in sorted(runtime_folder().glob(f"{PREFIX}*"))]


def _layout(name: str) -> Layout:
    runtime, data = runtime_folder().resolve() / name, data_folder().resolve() / name
    return Layout(f"{instance()}-{name}", runtime / "engine", data / "engine")


def _alone() -> FileLock:
    return FileLock(runtime_folder() / "spares.lock")
