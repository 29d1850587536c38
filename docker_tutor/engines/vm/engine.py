"""The sandboxed engine itself: `up`, `down`, `status`, and what a learner needs to use it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from docker_tutor.engines import programs as unpacked
from docker_tutor.engines import room
from docker_tutor.engines.base import Capabilities, EngineStatus, ForwardedPort, Tools
from docker_tutor.engines.dialing import with_tls
from docker_tutor.engines.private.state import State, read
from docker_tutor.engines.vm import image as images
from docker_tutor.engines.vm import packing, qemu_parts, reaching, starting, stopping
from docker_tutor.engines.vm.fence import Fence
from docker_tutor.engines.vm.hypervisors import HYPERVISORS
from docker_tutor.engines.vm.layout import Layout
from docker_tutor.engines.vm.machine import Machine
from docker_tutor.engines.vm.program import Program
from docker_tutor.errors import EngineNotFound, EngineStartFailed
from docker_tutor.i18n import _
from docker_tutor.progress import Report, Step, silent

__all__ = ["VmEngine"]

PROCESSES = ("keeper", "slirp4netns", "machine")
EMULATED_SLOWNESS = 6
"""A container starts ten to twenty times later under emulation, and what waits for one has some patience anyway."""


class VmEngine:
    """A whole Linux kernel with Docker inside, as an ordinary process of the user."""

    disposable = True

    def __init__(
        self,
        kind: str = "uml",
        layout: Layout | None = None,
        *,
        settings: Mapping[str, object] | None = None,
        shares: Sequence[Path] | None = None,
        memory_bytes: int | None = None,
        silent_after_s: float = 90,
        fence: Fence | None = None,
        program: Program | None = None,
    ) -> None:
        """Speak of the machine of this process's instance; nothing is started yet. Raises `EngineNotFound`.

        `settings` are added to the `daemon.json` of the next start; `shares` are the folders that the guest sees (else
        `starting.default_shares`); `memory_bytes` are for the guest; one that is
        silent for `silent_after_s` is ended. Behind a `fence` (User-Mode Linux only) it sees no more of this machine
        than that and its shares, and reaches no network; `program` runs inside it then.
        """
        if reason := HYPERVISORS[kind].possible():
            raise EngineNotFound(
                _("{reason} Start a Docker daemon of your own, and the course finds it.").format(reason=reason)
            )
        self.kind = kind
        self.layout = layout or Layout.of_instance()
        self._settings = dict(settings or {})
        self._shares = tuple(shares) if shares is not None else None
        self._memory_bytes = memory_bytes
        self._silent_after_s = silent_after_s
        self._fence = fence
        self._program = program

    @property
    def slowness(self) -> int:
        """How many times longer than elsewhere one waits for it; nobody may wait yet before it has been started."""
        try:
            emulated = Machine.read(self.layout.machine).accelerator == "tcg"
        except (OSError, ValueError):
            return 1
        return EMULATED_SLOWNESS if emulated else 1

    @property
    def address(self) -> str:
        """The daemon's own address, with the folder of the certificates that it asks for."""
        try:
            port = int(self.layout.port.read_text(encoding="ascii"))
        except (OSError, ValueError):
            port = 0  # it has never been up
        return with_tls(f"tcp://127.0.0.1:{port}", self.layout.certificates)

    @property
    def tools(self) -> Tools:
        """The command line client; what runs beside the daemon is inside the guest, and is carried out there."""
        programs = unpacked.found()
        if programs is None:
            return Tools()
        return Tools(
            path=(reaching.folder(self.layout), programs.for_people),
            config={"cliPluginsExtraDirs": [str(programs.plugins)]},
            programs={"docker": programs.path("docker"), **reaching.programs(self.layout)},
            containerd=reaching.CONTAINERD,
        )

    def up(self, report: Report = silent) -> None:
        """Make the daemon answer: at once if it does, after a new start if a part of it has died."""
        with self._alone():
            state = read(self.layout.state)
            if not self._missing(state) and self.layout.ready.exists():
                return
            stopping.stop(self.layout)  # what a killed machine has left
            unpacked.ensure(report)  # for people: the guest has its own
            image = images.ensure(report)
            parts = qemu_parts.ensure(image, report) if self.kind == "qemu" else None
            task = _("Starting a virtual machine with Docker Engine")
            report(Step(task, 0, 1))
            with room.told(self.layout.runtime.parent, self.layout.data.parent):
                try:
                    if not self._start(image, parts):
                        stopping.stop(self.layout)
                        self._start(image, parts)
                except BaseException:
                    # Ctrl-C too: a machine that is half there is worse than none.
                    stopping.stop(self.layout)
                    raise
            report(Step(task, 1, 1))

    def _start(self, image: images.Image, parts: qemu_parts.Parts | None) -> bool:
        """Start the machine; return False when it was to go on from a saved state and did not: now there is none."""
        machine = starting.prepare(
            self.layout,
            image,
            starting.default_shares() if self._shares is None else self._shares,
            kind=self.kind,
            parts=parts,
            memory_bytes=self._memory_bytes,
            more=self._settings,
            silent_after_s=self._silent_after_s,
            fence=self._fence,
            program=self._program,
        )
        reaching.write(self.layout)
        try:
            starting.start(self.layout)
        except EngineStartFailed:
            if not machine.resumes:
                raise
            return False
        return True

    def down(self, *, purge: bool = False) -> None:
        """Switch the machine off, or save its state where that can be; with `purge`, remove its disk too."""
        with self._alone():
            stopping.stop(self.layout, saving=not purge)
            if purge:
                stopping.purge(self.layout)

    def pack(self) -> Path | None:
        """Switch the machine off and put its disk into a form that can be copied; return the file, if any."""
        with self._alone():
            stopping.stop(self.layout)
            return packing.pack(self.layout)

    def status(self) -> EngineStatus:
        """Say what state the engine is in, without changing it."""
        state = read(self.layout.state)
        missing = self._missing(state)
        version = self._version()
        if not missing and state and self.layout.ready.exists():
            ports = tuple(self._ports())
            detail = _("The course's own Docker Engine is running, in a virtual machine ({kind}).").format(
                kind=self.kind
            )
            if unreached := [str(port.port) for port in ports if not port.reached]:
                detail += " " + _("Not reachable at 127.0.0.1: port {ports}.").format(ports=", ".join(unreached))
            if self.layout.crowded.exists():
                detail += " " + _("Its own disk is full: `docker system prune` makes room there.")
            machine = state.processes["machine"].pid
            return EngineStatus(self.kind, "running", detail, self.address, machine, version, ports=ports)
        if self.layout.runtime.exists():
            detail = _("{missing} has ended; `engine up` repairs it, `engine down` cleans up.").format(
                missing=", ".join(missing) or _("its start")
            )
            why = starting.why_ended(self.layout) or self._note()
            return EngineStatus(self.kind, "broken", f"{detail} {why}".strip(), version=version)
        return EngineStatus(self.kind, "stopped", _("It is not running; `engine up` starts it."), version=version)

    def capabilities(self) -> Capabilities:
        """Ask or try what the running engine can do. Raises `EngineError` when it does not answer."""
        from docker_tutor.engines.probing import probe

        # The modules are the guest's: what this machine could load says nothing.
        return replace(probe(self.address, self.tools, disposable=True), ipvs=True)

    def logs(self) -> str:
        """Return the daemon's own log, also of a start that failed."""
        log = self.layout.log("dockerd")
        return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""

    def _missing(self, state: State | None) -> list[str]:
        return [name for name in PROCESSES if not (state and state.process(name))]

    def _version(self) -> str | None:
        try:
            return images.Image(Path(Machine.read(self.layout.machine).image)).versions.get("docker.io")
        except (OSError, ValueError):  # it is not up, or somebody has emptied the cache under it
            image = images.found()
        return image.versions.get("docker.io") if image else None

    def _ports(self) -> list[ForwardedPort]:
        try:
            kept = json.loads(self.layout.ports.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        return [ForwardedPort(**port) for port in kept["ports"]]

    def _note(self) -> str:
        try:
            return str(json.loads(self.layout.ended.read_text(encoding="utf-8"))["note"])
        except (OSError, ValueError):
            return ""

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with FileLock(self.layout.runtime.parent / "vm.lock"):
            yield
