"""One guest without Docker, measured from outside: started, given a job, looked at while it sleeps, and ended.

It is the guest of the sandboxed engine, disk and kernel, with another first program.
Source: `man 5 proc_pid_smaps` (Pss).
"""

import io
import os
import select
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from docker_tutor.engines.vm import image as images
from docker_tutor.engines.vm import limits, qemu, qemu_parts
from docker_tutor.engines.vm.hypervisors import HYPERVISORS
from docker_tutor.engines.vm.image import Image
from docker_tutor.engines.vm.layout import Layout
from docker_tutor.engines.vm.line import Messages
from docker_tutor.engines.vm.machine import Machine
from docker_tutor.engines.vm.qemu_parts import Parts
from docker_tutor.errors import EngineNotFound, EngineStartFailed
from docker_tutor.i18n import _
from docker_tutor.paths import runtime_folder
from docker_tutor.processes import Process, kill_all, running
from docker_tutor.progress import Report, Step, silent
from docker_tutor.units import MiB, human_bytes

__all__ = ["Sample", "take"]

MEMORY_BYTES = 256 * MiB
SPARED_BYTES = 128 * MiB
WITHIN_S = 120
"""For a machine under emulation, on a computer that has much else to do."""
CHUNK_BYTES = 1 << 16
FIRST = """\
PATH=/usr/bin
echo '{"first": true}' >"$LINE"
busybox mount -t proc proc /proc
python3 -S /run/seed/job.py >"$LINE"
echo '{"asleep": true}' >"$LINE"
exec busybox sleep 3600
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one guest costs."""

    emulated: bool
    """Whether its instructions were translated instead of run by the processor."""
    disk_bytes: int
    """Room that kernel, modules and disk take, shared by all guests."""
    own_disk_bytes: int
    """Room that this guest's own changes take."""
    first_output_s: float
    """From the request to the first line that the guest's own first program wrote."""
    memory_bytes: int
    """Its part of this machine's memory while it sleeps; what it shares with others is divided among them."""
    said: dict[str, Any]
    """What the job printed."""


def take(kind: str, job: str, report: Report = silent) -> Sample:
    """Start a guest on `kind` (`uml`, `qemu`), run the Python program `job`, which prints one JSON object, and measure.

    The packages are fetched if they are not here. Raises `EngineError`, `PackageError`.
    """
    hypervisor = HYPERVISORS[kind]
    if reason := hypervisor.possible():
        raise EngineNotFound(reason)
    need = MEMORY_BYTES + hypervisor.OVERHEAD_BYTES + SPARED_BYTES
    if (have := limits.memory_allowed()) < need:
        raise EngineStartFailed(
            _("A virtual machine to be measured needs {need} of memory here, and {have} may be used.").format(
                need=human_bytes(need), have=human_bytes(have)
            )
        )
    image = images.ensure(report)
    parts = qemu_parts.ensure(image, report) if kind == "qemu" else None
    task = _("Starting a virtual machine to measure it")
    report(Step(task, 0, 1))
    with _folder() as folder:
        layout = Layout("sample", folder, folder)
        machine = Machine(
            kind=kind,
            image=str(image.folder),
            memory_bytes=MEMORY_BYTES,
            memory_folder=str(limits.memory_folder(MEMORY_BYTES, (folder,))),
            cpu=limits.cpu(),
            api_port=0,
            parts=str(parts.folder) if parts else "",
            accelerator=qemu.accelerator(parts, runtime_folder() / "accelerator.json") if parts else "",
            networked=False,
        )
        _write_seed(layout.seed, job)
        with layout.disk.open("wb") as disk:
            disk.truncate(MiB)  # it has no use for one, and its machine has a place for it
        measured = _measure(layout, machine)
        report(Step(task, 1, 1))
    return Sample(machine.accelerator == "tcg", _room(image, parts), *measured)


def _measure(layout: Layout, machine: Machine) -> tuple[int, float, int, dict[str, Any]]:
    console, console_end = socket.socketpair()
    line, line_end = socket.socketpair()
    daemon, daemon_end = socket.socketpair()
    with console, line, daemon:
        ends = [end.fileno() for end in (console_end, line_end, daemon_end)]
        with console_end, line_end, daemon_end:
            start = HYPERVISORS[machine.kind].start(layout, machine, *ends)
            began = time.perf_counter()
            process = subprocess.Popen(
                start.command,
                env=dict(start.environment),
                cwd=str(start.folder),
                stdin=subprocess.DEVNULL,
                stdout=console_end.fileno(),
                stderr=console_end.fileno(),
                pass_fds=ends,
                start_new_session=True,
            )
        try:
            if start.cpus:
                os.sched_setaffinity(process.pid, start.cpus)
            messages = _said(line, console, layout, machine)
            _until(messages, "first")
            first_s = time.perf_counter() - began
            said = _until(messages, "kernel")
            _until(messages, "asleep")
            return _allocated(layout.copy_on_write), first_s, _memory(process.pid), said
        finally:
            # A guest's processes may outlive its first one, and a session's number is not given away before its last.
            kill_all([each for each in running() if _in_session(each, process.pid)], 5)
            process.wait()


def _said(line: socket.socket, console: socket.socket, layout: Layout, machine: Machine) -> Iterator[dict[str, Any]]:
    """Yield what the guest says, and keep its console. Raises `EngineStartFailed` when it ends or takes too long."""
    until = time.monotonic() + WITHIN_S
    messages, log = Messages(), layout.runtime / "console"
    with log.open("wb", buffering=0) as kept:
        while (left := until - time.monotonic()) > 0:
            ready = select.select([line, console], [], [], left)[0]
            if console in ready:
                kept.write(console.recv(CHUNK_BYTES))
            if line in ready:
                if not (data := line.recv(CHUNK_BYTES)):
                    break
                yield from messages.feed(data)
    why = HYPERVISORS[machine.kind].explained(log) or log.read_text(encoding="utf-8", errors="replace")[-200:]
    raise EngineStartFailed(_("A virtual machine to be measured did not do its job: {why}").format(why=why))


def _until(messages: Iterator[dict[str, Any]], key: str) -> dict[str, Any]:
    return next(message for message in messages if key in message)


def _memory(session: int) -> int:
    total = 0
    for process in running():
        if _in_session(process, session):
            with suppress(psutil.Error):  # it may end while it is looked at
                total += psutil.Process(process.pid).memory_full_info().pss
    return total


def _in_session(process: Process, session: int) -> bool:
    try:
        return os.getsid(process.pid) == session
    except OSError:
        return False


def _allocated(file: Path) -> int:
    return file.stat().st_blocks * 512


def _room(image: Image, parts: Parts | None) -> int:
    folders = [image.folder, *([parts.folder] if parts else [])]
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    if parts:
        files.remove(image.kernel)  # User-Mode Linux itself, of no use on QEMU
    return sum(map(_allocated, files))


def _write_seed(file: Path, job: str) -> None:
    with tarfile.open(file, mode="w") as tar:
        for name, content in (("init.sh", FIRST), ("job.py", job)):
            info = tarfile.TarInfo(name)
            info.size = len(content.encode())
            tar.addfile(info, io.BytesIO(content.encode()))


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="sample-", dir=runtime_folder()))
    try:
        yield folder.resolve()
    finally:
        shutil.rmtree(folder)
