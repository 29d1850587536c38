"""Start a virtual machine: what it needs is prepared here, the keeper starts it, the guest says when it is ready."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from docker_tutor.engines import room
from docker_tutor.engines.private.readiness import Readiness
from docker_tutor.engines.vm import certificates, limits, qemu, saved, seed
from docker_tutor.engines.vm.fence import Fence
from docker_tutor.engines.vm.hypervisors import HYPERVISORS
from docker_tutor.engines.vm.image import Image, format_disk
from docker_tutor.engines.vm.layout import Layout
from docker_tutor.engines.vm.machine import Machine
from docker_tutor.engines.vm.packing import unpack
from docker_tutor.engines.vm.program import Program
from docker_tutor.engines.vm.qemu_parts import Parts
from docker_tutor.errors import EngineStartFailed
from docker_tutor.i18n import _
from docker_tutor.paths import checkout
from docker_tutor.processes import Process
from docker_tutor.units import MiB

__all__ = ["default_shares", "prepare", "start", "why_ended"]

GUESTS_OWN = tuple(map(Path, ("/dev", "/disk", "/etc", "/proc", "/run", "/sys", "/usr", "/var/lib/docker")))
"""What a mount must not hide."""
KERNELS_OWN = tuple(map(Path, ("/dev", "/proc", "/sys")))
"""Where no folder can be made to mount at."""
LEAST_BYTES = 32 * MiB
"""What a guest writes to its disk before it can do anything."""
LITTLE_ROOM = _(
    "A virtual machine's disk needs {needs} in {folder} to grow, and {free} are free: make room for {missing} more."
)
EXPLAINED = {
    "room": _(
        "The guest could not write to its disk, because there was no room for that in {said}: make room there, and "
        "`engine up` starts it again with what is on it."
    ),
    "write": _("The guest could not write to its disk, a file in {said}; `engine up` starts it again."),
    "disk": _("The guest's disk is damaged; `engine down --purge` removes it, and what was on it."),
    "share": _("A folder of yours could not be shown to the guest: {said}"),
    "seed": _("The guest could not read what it was given: {said}."),
    "port": _("The port for Docker's API has been taken in this moment ({said}): try again."),
    "crowded": _(
        "The guest's own disk is full, and Docker does not start on it; `engine down --purge` removes all of it."
    ),
    "dockerd": _("Docker ended inside the guest: {said}; `engine logs` has its last words."),
}


def default_shares() -> tuple[Path, ...]:
    """Return the folders that a guest sees under the same names, so that `-v $PWD:/x` works as typed.

    They are the home folder, the course and the folder for temporary files; whoever is root in the guest may read and
    write there what you may.
    """
    wanted = {Path.home().resolve(), checkout(), Path(tempfile.gettempdir()).resolve()}
    allowed = {folder for folder in wanted if folder.is_dir() and _may_be_shared(folder)}
    return tuple(sorted(f for f in allowed if not any(f != other and f.is_relative_to(other) for other in allowed)))


def _may_be_shared(folder: Path) -> bool:
    hides = any(own.is_relative_to(folder) for own in GUESTS_OWN)
    return not hides and not any(folder.is_relative_to(own) for own in KERNELS_OWN)


def prepare(  # noqa: PLR0913 - a machine has that many parts
    layout: Layout,
    image: Image,
    shares: Sequence[Path],
    *,
    kind: str = "uml",
    parts: Parts | None = None,
    memory_bytes: int | None = None,
    more: Mapping[str, object] | None = None,
    silent_after_s: float = 90,
    fence: Fence | None = None,
    program: Program | None = None,
) -> Machine:
    """Make disk, certificates and seed, or take what was saved, and write down the machine.

    Raises `EngineStartFailed`, `DiskFull`.
    """
    memory = memory_bytes or limits.guest_memory(limits.memory_allowed() - HYPERVISORS[kind].OVERHEAD_BYTES)
    for folder in (layout.runtime, layout.data, layout.log("any").parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (layout.disk.exists() or unpack(layout)):
        format_disk(image, layout.disk, limits.disk_bytes(layout.data))
    room.require(layout.data, LEAST_BYTES, LITTLE_ROOM)
    contents = seed.contents(shares, more, program)
    machine = Machine(
        kind=kind,
        image=str(image.folder),
        memory_bytes=memory,
        memory_folder=str(limits.memory_folder(memory, (layout.runtime, layout.data))),
        cpu=limits.cpu(),
        api_port=_port(layout),
        parts=str(parts.folder) if parts else "",
        accelerator=qemu.accelerator(parts, layout.accelerator) if parts else "",
        shares=tuple(map(str, shares)),
        silent_after_s=silent_after_s,
        fence=fence,
    )
    if HYPERVISORS[kind].SAVES:
        made = saved.fingerprint(machine, seed.digest(contents))
        before = saved.take(layout, made, range(memory_bytes or limits.LEAST_BYTES, memory + 1))
        machine = replace(machine, fingerprint=made, resumes=before is not None, memory_bytes=before or memory)
    else:
        saved.forget(layout)
    if not machine.resumes:
        trust = certificates.make()
        certificates.keep(trust, layout.certificates)
        seed.write(layout.seed, trust, contents)
    machine.write(layout.machine)
    return machine


def start(layout: Layout) -> None:
    """Start the keeper of a machine that is prepared, and return when Docker answers. Raises `EngineStartFailed`."""
    layout.ended.unlink(missing_ok=True)
    command = [sys.executable, "-m", "docker_tutor.engines.vm.keeper"]
    command += [layout.name, str(layout.runtime), str(layout.data)]
    searched = [str(checkout()), *filter(None, [os.environ.get("PYTHONPATH")])]
    log = layout.log("keeper")
    with Readiness(layout.runtime / "keeper.notify") as ready:
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                env={**os.environ, **ready.environment, "PYTHONPATH": os.pathsep.join(searched)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                start_new_session=True,
            )
        process.returncode = 0  # nobody waits for it through this object: its end is awaited on a pidfd
        keeper = Process.of(process.pid)
        if keeper is None:
            raise EngineStartFailed(_("The keeper of the virtual machine ended at once: see {log}.").format(log=log))
        try:
            ready.wait(keeper, log, HYPERVISORS[Machine.read(layout.machine).kind].READY_WITHIN_S)
        except EngineStartFailed as error:
            if said := why_ended(layout):
                raise EngineStartFailed(said) from error
            raise


def why_ended(layout: Layout) -> str | None:
    """Return in one sentence why a machine has ended by itself; None when that is not known."""
    with contextlib.suppress(OSError, ValueError):
        ended = json.loads(layout.ended.read_text(encoding="utf-8"))
        what, _colon, said = str(ended["note"]).partition(": ")
        sentence = EXPLAINED.get(what)
        return sentence.format(said=said) if sentence else ended["why"]
    return None


def _port(layout: Layout) -> int:
    """Return a free port at 127.0.0.1, the one of the last time if it is free: what was connected finds it again."""
    wanted = 0
    with contextlib.suppress(OSError, ValueError):
        wanted = int(layout.port.read_text(encoding="ascii"))
    for candidate in (wanted, 0):
        with socket.socket() as trial, contextlib.suppress(OSError):
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(("127.0.0.1", candidate))
            port = int(trial.getsockname()[1])
            layout.port.write_text(str(port), encoding="ascii")
            return port
    raise EngineStartFailed(_("This machine has no free port for Docker's API."))
