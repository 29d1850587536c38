"""The private engine itself: `up`, `down`, `status`, and what a learner needs to use it."""

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from docker_tutor.engines import programs as unpacked
from docker_tutor.engines import room
from docker_tutor.engines.base import Capabilities, EngineStatus, ForwardedPort, Tools
from docker_tutor.engines.private import starting, stopping
from docker_tutor.engines.private.layout import Layout
from docker_tutor.engines.private.state import State, read
from docker_tutor.engines.programs import Programs
from docker_tutor.errors import EngineNotFound
from docker_tutor.i18n import _
from docker_tutor.progress import Report, Step, silent
from docker_tutor.units import MiB

__all__ = ["PrivateEngine", "possible"]

PROCESSES = ("dockerd", "containerd", "slirp4netns", "keeper")
LEAST_BYTES = 32 * MiB
"""What a daemon writes by itself before it can do anything."""
LITTLE_ROOM = _("Docker needs {needs} in {folder}, and {free} are free: make room for {missing} more and try again.")
FOR_TOPICS = ("docker", "ctr", "runc", "containerd", "slirp4netns", "ip", "tc", "ss", "bridge", "dockerd")


def possible() -> str | None:
    """Return None when a private engine can run here, else the reason in one sentence."""
    if not sys.platform.startswith("linux"):
        return _("A private engine needs Linux.")
    if os.geteuid() != 0:
        return _("A private engine needs root.")
    return None


class PrivateEngine:
    """A dockerd of the course's own: own namespaces, own data, nothing installed, nothing left after `down`."""

    kind = "private"
    disposable = True
    slowness = 1

    def __init__(
        self, layout: Layout | None = None, *, settings: Mapping[str, object] | None = None, suite: str | None = None
    ) -> None:
        """Speak of the engine of this process's instance; nothing is started yet. Raises `EngineNotFound`.

        `settings` are added to the `daemon.json` that the next start writes; `suite` names the Debian release whose
        packages it runs (else the setting's).
        """
        if reason := possible():
            raise EngineNotFound(
                _("{reason} Start a Docker daemon of your own, and the course finds it.").format(reason=reason)
            )
        self.layout = layout or Layout.of_instance()
        self._settings = dict(settings or {})
        self._suite = suite

    @property
    def address(self) -> str:
        """The daemon's own address."""
        return f"unix://{self.layout.socket}"

    @property
    def tools(self) -> Tools:
        """The engine's own programs; none before the first `up` has fetched them."""
        programs = self._programs()
        if programs is None:
            return Tools()
        links = {link.name: link for link in self.layout.links.glob("*")}
        own = {name: programs.path(name) for name in FOR_TOPICS}
        return Tools(
            path=(programs.for_people,),
            config={"cliPluginsExtraDirs": [str(programs.plugins)]},
            programs=own | links | {"nsenter": Path(shutil.which("nsenter") or "nsenter")},
            environment={"XTABLES_LIBDIR": str(programs.xtables)},
            enter=self.layout.enter,
            containerd=str(self.layout.containerd_socket),
        )

    def up(self, report: Report = silent) -> None:
        """Make the daemon answer: at once if it does, after a repair if a part of it has died."""
        with self._alone():
            state = read(self.layout.state)
            missing = [name for name in PROCESSES if not (state and state.process(name))]
            if not missing:
                return
            if state and missing == ["keeper"]:
                starting.start_keeper(self.layout, state)
                return
            self._start(report)

    def down(self, *, purge: bool = False) -> None:
        """Stop the containers, the daemons, their mounts and namespaces; with `purge`, remove their data too."""
        with self._alone():
            stopping.stop(self.layout)
            if purge:
                stopping.purge(self.layout)

    def status(self) -> EngineStatus:
        """Say what state the engine is in, without changing it."""
        state = read(self.layout.state)
        alive = {name: process for name in PROCESSES if state and (process := state.process(name))}
        version = self._version(state)
        if len(alive) == len(PROCESSES):
            kept, _note = self._kept()
            detail = _("The course's own Docker Engine is running.")
            if unreached := [str(port.port) for port in kept if not port.reached]:
                detail += " " + _("Not reachable at 127.0.0.1: port {ports}.").format(ports=", ".join(unreached))
            return EngineStatus(
                self.kind, "running", detail, self.address, alive["dockerd"].pid, version, ports=tuple(kept)
            )
        if alive or self.layout.runtime.exists():
            missing = ", ".join(name for name in PROCESSES if name not in alive)
            detail = _("{missing} has ended; `engine up` repairs it, `engine down` cleans up.").format(missing=missing)
            return EngineStatus(self.kind, "broken", f"{detail} {self._kept()[1]}".strip(), version=version)
        return EngineStatus(self.kind, "stopped", _("It is not running; `engine up` starts it."), version=version)

    def capabilities(self) -> Capabilities:
        """Ask or try what the running engine can do. Raises `EngineError` when it does not answer."""
        from docker_tutor.engines.probing import probe

        return probe(self.layout.socket, self.tools, disposable=True)

    def logs(self) -> str:
        """Return the daemon's own log, also of a start that failed."""
        log = self.layout.log("dockerd")
        return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""

    def _start(self, report: Report) -> None:
        stopping.stop(self.layout)  # what a killed engine has left
        programs = unpacked.ensure(report, suite=self._suite)
        task = _("Starting Docker Engine")
        report(Step(task, 0, 1))
        with room.told(self.layout.runtime.parent, self.layout.data.parent):
            try:
                room.require(self.layout.data.parent, LEAST_BYTES, LITTLE_ROOM)
                starting.start(self.layout, programs, self._settings)
            except BaseException:
                # Ctrl-C too: an engine that is half there is worse than none.
                stopping.stop(self.layout)
                raise
        report(Step(task, 1, 1))

    def _programs(self) -> Programs | None:
        state = read(self.layout.state)
        return Programs(Path(state.programs)) if state else unpacked.found(self._suite)

    def _version(self, state: State | None) -> str | None:
        programs = Programs(Path(state.programs)) if state else unpacked.found(self._suite)
        return programs.versions.get("docker.io") if programs else None

    def _kept(self) -> tuple[list[ForwardedPort], str]:
        try:
            kept = json.loads(self.layout.ports.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return [], ""
        return [ForwardedPort(**port) for port in kept["ports"]], str(kept["note"])

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with FileLock(self.layout.runtime.parent / "engine.lock"):
            yield
