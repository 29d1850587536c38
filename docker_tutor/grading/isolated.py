"""The isolated mode: for each submission a virtual machine with a daemon and the student's own process in it, fenced.

Cells run in the machine, under its kernel, and so does all that they tell Docker; it has a small disk and is thrown
away. Around the machine is a fence (`engines.vm.fence`): it is nobody's process, reaches no network, and whatever its
kernel is made to do, it finds a Python with the course's packages, one folder of limited size, and its own disk. What
looks at the outcome talks to the daemon and reads that folder; commands that read what a student wrote there
(`docker build`, `docker compose`) run behind a fence of their own, as nobody.

The machine's disk with the images is made once and copied: copies share what is not changed, where the file system can.
"""

import hashlib
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import docker
from filelock import FileLock

import docker_tutor
from docker_tutor import engines
from docker_tutor.classroom.environment import for_commands, write_cli_config
from docker_tutor.engines import programs as unpacked
from docker_tutor.engines.base import Tools
from docker_tutor.engines.private.slirp import GUEST
from docker_tutor.engines.vm import image as guests
from docker_tutor.engines.vm.engine import VmEngine
from docker_tutor.engines.vm.fence import NOBODY, Fence, owned, possible, words
from docker_tutor.engines.vm.layout import Layout
from docker_tutor.engines.vm.program import Program
from docker_tutor.errors import SeatFailed
from docker_tutor.grading import labs
from docker_tutor.grading.cellrunner import CellRunner
from docker_tutor.grading.cellseat import BRINGS_WITHIN_S, SEAT_VARIABLE, CellSeat, bring
from docker_tutor.grading.guestkernel import Doors, GuestKernel
from docker_tutor.grading.site import PROBE, Site
from docker_tutor.grading.tickets import TICKET_FILE, Ticket
from docker_tutor.i18n import _
from docker_tutor.paths import cache_folder, data_folder, runtime_folder
from docker_tutor.progress import Report, silent
from docker_tutor.units import GiB, MiB

__all__ = ["IsolatedPlace", "IsolatedSeat", "remove_abandoned"]

_PREFIX = "vmseat-"
_DISK_BYTES = 3 * GiB
_MEMORY_BYTES = 1024 * MiB
_FOLDER_BYTES = 128 * MiB
_SCRATCH_BYTES = 64 * MiB
_INSIDE = {"HOME": "/tmp", SEAT_VARIABLE: "vm"}  # noqa: S108 - the guest's own
_API_TIMEOUT_S = 60
_PATIENCE = 4
"""A machine has one processor, and starting a process takes it several times as long (see `benchmarks/machine.py`)."""
_API_VERSION = "1.44"
"""The oldest that Engine 29 speaks; asking for it would be a first call before anything can be set."""


class IsolatedPlace:
    """Seats in virtual machines, one for each submission."""

    isolates = True

    def __init__(self, report: Report = silent) -> None:
        """Start nothing yet."""
        self.isolation = _(
            "Isolated mode: each submission is run inside a virtual machine of its own, which is fenced off and thrown "
            "away."
        )
        self._report = report

    @contextmanager
    def seat(self, ticket: Ticket, images: Sequence[str], files: Path | None = None) -> Iterator["IsolatedSeat"]:
        """Give a fresh seat. Raises SeatFailed, EngineError, PackageError, ImageError."""
        if reason := possible():
            raise SeatFailed(reason)
        remove_abandoned()
        wanted = tuple(dict.fromkeys([PROBE, *images]))
        template = self._template(wanted)
        with ExitStack() as stack:
            home = _home()
            stack.callback(shutil.rmtree, home, ignore_errors=True)
            folder = stack.enter_context(_folder(home / "work"))
            _fill(folder, files, ticket)
            doors = Doors(home)
            fence, cli = _fence(home, doors)
            program = doors.program(folder, _variables("unix:///run/docker.sock", cli) | _INSIDE, fence.readable)
            engine = _engine(home, (folder,), fence, program)
            data = engine.layout.data
            stack.callback(shutil.rmtree, data.parent, ignore_errors=True)
            data.mkdir(mode=0o700, parents=True)
            _copy(template, engine.layout.disk)
            stack.callback(engine.down, purge=True)
            engine.up(self._report)
            seat = IsolatedSeat(engine, folder, wanted, doors, _look(engine, home, fence, folder, cli))
            stack.callback(seat.close)
            yield seat

    def close(self) -> None:
        """Hold nothing between seats; the disk with the images stays for the next time."""

    def _template(self, images: Sequence[str]) -> Path:
        """Return a disk with `images` on it, made when it is not there."""
        guest = guests.ensure(self._report)
        unpacked.ensure(self._report)
        name = hashlib.sha256("\n".join([guest.folder.name, *sorted(images)]).encode()).hexdigest()[:12]
        folder = data_folder() / "seat-disks"
        folder.mkdir(mode=0o700, exist_ok=True)
        disk = folder / f"{name}.img"
        with FileLock(folder / f"{name}.lock"):
            if not disk.exists():
                self._make(disk, guest, images, engines.resolve("private"))
        return disk

    def _make(self, disk: Path, guest: guests.Image, images: Sequence[str], own: Any) -> None:
        """Make it on a machine that nobody else uses: no fence, and a network to bring what is missing."""
        home = _home()
        engine = _engine(home, ())
        try:
            engine.layout.data.mkdir(mode=0o700, parents=True)
            guests.format_disk(guest, engine.layout.disk, _DISK_BYTES)
            engine.up(self._report)
            with closing(_client(engine, timeout_s=BRINGS_WITHIN_S)) as client:
                bring(client, images, self._report, own)
            engine.down()
            engine.layout.disk.replace(disk)
        finally:
            engine.down(purge=True)
            shutil.rmtree(engine.layout.data.parent, ignore_errors=True)
            shutil.rmtree(home, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _Look:
    """How checks run `docker`: behind a fence, with a door to the daemon."""

    before: tuple[str, ...]
    environment: Mapping[str, str]


class IsolatedSeat(CellSeat):
    """One submission's seat: a kernel and a daemon in a machine, and a folder that both sides see."""

    def __init__(self, engine: VmEngine, folder: Path, images: Sequence[str], doors: Doors, look: _Look) -> None:
        """Connect to the daemon; the kernel is spoken to from the first cell on."""
        client = _client(engine, timeout_s=_API_TIMEOUT_S)
        with ExitStack() as undo:
            undo.callback(client.close)
            kept = {name: str(client.api.inspect_image(name)["Id"]) for name in images}
            undo.pop_all()
        super().__init__(folder, client, kept)
        self._engine = engine
        self._doors = doors
        self._look = look

    def site(self, hidden: str = "") -> Site:
        """Return where checks look."""
        return Site(
            self._client,
            self.folder,
            self._look.environment,
            probe=self._kept[PROBE],
            hidden=hidden,
            before=self._look.before,
            owner=NOBODY,
            patience=_PATIENCE,
        )

    def _started(self) -> CellRunner:
        return GuestKernel(self._engine, self._doors)


def _home() -> Path:
    home = runtime_folder().resolve() / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(2)}"
    home.mkdir(mode=0o700)
    return home


def _fence(home: Path, doors: Doors) -> tuple[Fence, Path]:
    """Return what a machine may see of this one beside the student's folder, and Docker's configuration in it."""
    cli = write_cli_config(home / "cli", _tools())
    hosts = home / "hosts"
    hosts.write_text("127.0.0.1 localhost\n", encoding="ascii")
    users = home / "passwd"
    users.write_text(f"root:x:0:0::/:/bin/sh\nstudent:x:{NOBODY}:{NOBODY}::/tmp:/bin/sh\n", encoding="ascii")
    for path in (cli, *cli.iterdir(), hosts, users):
        path.chmod(0o755 if path.is_dir() else 0o644)
    packages = {Path(sys.prefix), Path(sys.base_prefix), Path(docker_tutor.__file__).parent}
    shown = [path.resolve() for path in sorted(packages) if not path.is_relative_to("/usr")]
    readable = (*shown, cache_folder().resolve() / "engines", cli)
    placed = {"/etc/hosts": str(hosts), "/etc/passwd": str(users)}
    # What is looked at is nobody's business in there.
    return Fence(tuple(map(str, readable)), tuple(labs.__path__), placed, doors.ports), cli


def _look(engine: VmEngine, home: Path, fence: Fence, folder: Path, cli: Path) -> _Look:
    """Return how checks run `docker` in the student's folder: what is written there may ask for any file of ours."""
    keys = home / "keys"
    shutil.copytree(engine.layout.certificates, keys)
    owned(keys, *keys.iterdir())
    own = replace(fence, doors={})
    before = words(own, folder=folder, writable=[folder], readable=[keys], scratch_bytes=_SCRATCH_BYTES, networked=True)
    host, _mark, _folder_of_keys = engine.address.partition("?")
    tls = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(keys)}
    return _Look(tuple(before), _variables(host, cli) | tls | {"HOME": "/tmp"})  # noqa: S108 - the fence's own


def _tools() -> Tools:
    """Return Docker's command line, which is the same in the machine, behind a fence and here."""
    return VmEngine().tools


def _variables(address: str, cli: Path) -> dict[str, str]:
    """Return a whole environment that reaches `address`, with nothing in it of who grades."""
    known = for_commands(address, VmEngine(), cli)
    variables = {name: value for name, value in known.items() if value is not None}
    variables.pop("DOCKER_TUTOR_UPSTREAM", None)
    own = {"LANG": "C.UTF-8", "IPYTHONDIR": "/tmp/ipython", "MPLCONFIGDIR": "/tmp", "BUILDX_CONFIG": "/tmp/buildx"}  # noqa: S108
    return variables | own


def remove_abandoned() -> list[str]:
    """Take down the machines of processes that were killed while they graded, and return their names."""
    removed = []
    for home in sorted(runtime_folder().resolve().glob(f"{_PREFIX}*")):
        if Path("/proc", home.name.split("-")[1]).exists():
            continue
        engine = _engine(home, ())
        engine.down(purge=True)
        if (home / "work").is_mount():
            subprocess.run(["umount", "--lazy", str(home / "work")], check=True)
        for folder in (engine.layout.data.parent, home):
            shutil.rmtree(folder, ignore_errors=True)
        removed.append(home.name)
    return removed


def _engine(home: Path, shares: Sequence[Path], fence: Fence | None = None, program: Program | None = None) -> VmEngine:
    """Return a machine of its own, which sees `shares` and, behind a `fence`, nothing else of this one."""
    layout = Layout(home.name, home / "vm", data_folder().resolve() / home.name / "vm")
    settings = {"dns": [GUEST]} if fence else {}  # where nobody listens: what is asked fails at once
    return VmEngine(
        layout=layout, settings=settings, shares=shares, memory_bytes=_MEMORY_BYTES, fence=fence, program=program
    )


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
    """Make the student's folder: a file system of limited size."""
    path.mkdir(mode=0o755)
    size = f"size={_FOLDER_BYTES},nr_inodes=10k,mode=755"
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"{size},nosuid,nodev", "tmpfs", str(path)], check=True)
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
    owned(folder, *folder.rglob("*"))


def _copy(template: Path, disk: Path) -> None:
    """Copy a disk with its holes, sharing what is the same where the file system can."""
    words = ["cp", "--sparse=always", "--reflink=auto", str(template), str(disk)]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SeatFailed(_("The disk for a submission could not be made: {error}").format(error=done.stderr.strip()))
