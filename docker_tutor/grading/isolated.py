"""The isolated mode: for each submission a virtual machine with a daemon, and a fence around the student's own process.

What a student tells Docker happens in a machine with a kernel of its own, which sees of this one a single folder, has
a small disk, and is thrown away. What a student's cells do beside that happens behind a fence (`fence`): without a
network, as nobody, in that same folder, a file system of limited size. The only way from one to the other is the API.

The machine's disk with the images is made once and copied: copies share what is not changed, where the file system can.
"""

import hashlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import docker
import psutil
from filelock import FileLock

from docker_tutor import engines
from docker_tutor.classroom.environment import for_commands, write_cli_config
from docker_tutor.engines.vm import image as guests
from docker_tutor.engines.vm.engine import VmEngine
from docker_tutor.engines.vm.layout import Layout
from docker_tutor.errors import GatewayError, SeatFailed
from docker_tutor.gateway import Gateway
from docker_tutor.grading.cellseat import SEAT_VARIABLE, CellSeat, bring
from docker_tutor.grading.fence import NOBODY, fence
from docker_tutor.grading.kernel import Kernel
from docker_tutor.grading.site import PROBE, Site
from docker_tutor.grading.tickets import TICKET_FILE, Ticket
from docker_tutor.i18n import _
from docker_tutor.paths import data_folder, runtime_folder
from docker_tutor.progress import Report, silent
from docker_tutor.units import GiB, MiB

__all__ = ["IsolatedPlace", "IsolatedSeat", "remove_abandoned"]

_PREFIX = "vmseat-"
_DISK_BYTES = 3 * GiB
_MEMORY_BYTES = 768 * MiB
_FOLDER_BYTES = 128 * MiB
_API_TIMEOUT_S = 60
_API_VERSION = "1.44"
"""The oldest that Engine 29 speaks; asking for it would be a first call before anything can be set."""


class IsolatedPlace:
    """Seats in virtual machines, one for each submission."""

    isolates = True

    def __init__(self, report: Report = silent) -> None:
        """Start nothing yet."""
        self.isolation = _(
            "Isolated mode: each submission has a virtual machine for its daemon and a fence around its own process."
        )
        self._report = report

    @contextmanager
    def seat(self, ticket: Ticket, images: Sequence[str], files: Path | None = None) -> Iterator["IsolatedSeat"]:
        """Give a fresh seat. Raises SeatFailed, EngineError, PackageError, ImageError, GatewayError."""
        remove_abandoned()
        wanted = tuple(dict.fromkeys([PROBE, *images]))
        template = self._template(wanted)
        with ExitStack() as stack:
            home = runtime_folder().resolve() / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(2)}"
            home.mkdir(mode=0o711)
            stack.callback(shutil.rmtree, home, ignore_errors=True)
            folder = stack.enter_context(_folder(home / "work"))
            _fill(folder, files, ticket)
            engine = _engine(home, (folder,))
            data = engine.layout.data
            stack.callback(shutil.rmtree, data.parent, ignore_errors=True)
            data.mkdir(mode=0o700, parents=True)
            _copy(template, engine.layout.disk)
            stack.callback(engine.down, purge=True)
            engine.up(self._report)
            gateway = Gateway.start(engine.address, f"seat-{home.name[-6:]}", home / "door", disposable=True)
            stack.callback(_close, gateway)
            seat = IsolatedSeat(engine, gateway, folder, wanted)
            stack.callback(seat.close)
            yield seat

    def close(self) -> None:
        """Hold nothing between seats; the disk with the images stays for the next time."""

    def _template(self, images: Sequence[str]) -> Path:
        """Return a disk with `images` on it, made when it is not there."""
        guest = guests.ensure(self._report)
        own = engines.resolve("private") if os.geteuid() == 0 else None
        name = hashlib.sha256("\n".join([guest.folder.name, *sorted(images)]).encode()).hexdigest()[:12]
        folder = data_folder() / "seat-disks"
        folder.mkdir(mode=0o700, exist_ok=True)
        disk = folder / f"{name}.img"
        with FileLock(folder / f"{name}.lock"):
            if not disk.exists():
                self._make(disk, guest, images, own)
        return disk

    def _make(self, disk: Path, guest: guests.Image, images: Sequence[str], own: Any) -> None:
        home = runtime_folder().resolve() / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(2)}"
        home.mkdir(mode=0o700)
        engine = _engine(home, ())
        try:
            engine.layout.data.mkdir(mode=0o700, parents=True)
            guests.format_disk(guest, engine.layout.disk, _DISK_BYTES)
            engine.up(self._report)
            with closing(_client(engine, timeout_s=600)) as client:
                bring(client, images, self._report, own)
            engine.down()
            engine.layout.disk.replace(disk)
        finally:
            engine.down(purge=True)
            shutil.rmtree(engine.layout.data.parent, ignore_errors=True)
            shutil.rmtree(home, ignore_errors=True)


class IsolatedSeat(CellSeat):
    """One submission's seat: a fenced kernel in a folder, a daemon in a machine."""

    def __init__(self, engine: VmEngine, gateway: Gateway, folder: Path, images: Sequence[str]) -> None:
        """Set the environment; the kernel starts with the first cell."""
        client = _client(engine, timeout_s=_API_TIMEOUT_S)
        super().__init__(folder, client, {name: str(client.api.inspect_image(name)["Id"]) for name in images})
        self._home = folder.parent
        self._cli = write_cli_config(self._home / "cli", engine.tools)
        self._cli.chmod(0o755)
        for file in self._cli.iterdir():
            file.chmod(0o644)
        self._socket = Path(gateway.address.removeprefix("unix://"))
        self._engine = engine

    def site(self, hidden: str = "") -> Site:
        """Return where checks look: at the machine's daemon itself, not through the student's door."""
        host, _mark, _folder_of_keys = self._engine.address.partition("?")
        environment = self._variables(host) | {
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": str(self._engine.layout.certificates),
        }
        return Site(self._client, self.folder, environment, probe=self._kept[PROBE], hidden=hidden)

    def _started(self) -> Kernel:
        sockets = self._home / "cells"
        sockets.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(sockets, NOBODY, NOBODY)
            os.chown(self._socket, NOBODY, NOBODY)
        before = fence(writable=[self.folder, sockets, self._socket], readable=[self._cli], folder=self.folder)
        variables = self._variables(f"unix://{self._socket}") | {"HOME": "/tmp", SEAT_VARIABLE: "vm"}  # noqa: S108
        return Kernel(self.folder, variables, sockets, before)

    def _variables(self, address: str) -> dict[str, str]:
        """Return a whole environment that reaches `address`, with nothing in it of who grades."""
        known = for_commands(address, self._engine, self._cli)
        variables = {name: value for name, value in known.items() if value is not None}
        variables.pop("DOCKER_TUTOR_UPSTREAM", None)
        return variables | {"LANG": "C.UTF-8", "IPYTHONDIR": "/tmp/ipython", "MPLCONFIGDIR": "/tmp"}  # noqa: S108


def remove_abandoned() -> list[str]:
    """Take down the machines of processes that were killed while they graded, and return their names."""
    removed = []
    for home in sorted(runtime_folder().resolve().glob(f"{_PREFIX}*")):
        if Path("/proc", home.name.split("-")[1]).exists():
            continue
        _end_students(home)
        engine = _engine(home, ())
        engine.down(purge=True)
        if (home / "work").is_mount():
            subprocess.run(["umount", "--lazy", str(home / "work")], check=True)
        for folder in (engine.layout.data.parent, home):
            shutil.rmtree(folder, ignore_errors=True)
        removed.append(home.name)
    return removed


def _end_students(home: Path) -> None:
    """Kill what cells of that seat have left: the fence's first process outlives a grader that was killed."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it went away while we were looking
            if str(home) in process.environ().get("DOCKER_HOST", ""):
                process.kill()


def _engine(home: Path, shares: Sequence[Path]) -> VmEngine:
    """Return a machine of its own, which sees `shares` and nothing else of this one."""
    layout = Layout(home.name, home / "vm", data_folder().resolve() / home.name / "vm")
    return VmEngine(layout=layout, shares=shares, memory_bytes=_MEMORY_BYTES)


def _client(engine: VmEngine, timeout_s: int) -> docker.DockerClient:
    keys = engine.layout.certificates
    tls = docker.tls.TLSConfig(
        client_cert=(str(keys / "cert.pem"), str(keys / "key.pem")), ca_cert=str(keys / "ca.pem"), verify=True
    )
    address, _mark, _keys = engine.address.partition("?")
    client = docker.DockerClient(base_url=address, version=_API_VERSION, tls=tls, timeout=timeout_s)
    client.api.trust_env = False  # or REQUESTS_CA_BUNDLE would go before the machine's own authority
    return client


@contextmanager
def _folder(path: Path) -> Iterator[Path]:
    """Make the student's folder: a file system of limited size, where this user may mount one."""
    path.mkdir(mode=0o755)
    if os.geteuid() != 0:
        yield path
        return
    size = f"size={_FOLDER_BYTES},nr_inodes=10k,mode=755"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(path)], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def _fill(folder: Path, files: Path | None, ticket: Ticket) -> None:
    if files is not None:
        shutil.copytree(files, folder, symlinks=True, dirs_exist_ok=True)
        folder.chmod(0o755)  # copytree gave it the other one's mode
    (folder / TICKET_FILE).unlink(missing_ok=True)
    (folder / TICKET_FILE).write_text(f"{ticket}\n", encoding="ascii")
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def _copy(template: Path, disk: Path) -> None:
    """Copy a disk with its holes, sharing what is the same where the file system can."""
    words = ["cp", "--sparse=always", "--reflink=auto", str(template), str(disk)]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SeatFailed(_("The disk for a submission could not be made: {error}").format(error=done.stderr.strip()))


def _close(gateway: Gateway) -> None:
    """Close the student's door. What was made behind it goes with the machine, also when it cannot be tidied up."""
    with suppress(GatewayError):
        gateway.close(within_s=20)
