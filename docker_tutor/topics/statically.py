"""A program alone on `scratch`: what it needs besides itself, and what a TLS client needs besides the program.

Sources: `man 5 elf` (PT_INTERP), `man 2 execve` (ENOENT for a missing interpreter), Go's crypto/x509 (where it looks
for root certificates).
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.errors import ImageError
from docker_tutor.i18n import _
from docker_tutor.topics.exports import exported
from docker_tutor.topics.probes import running
from docker_tutor.units import KiB

__all__ = ["Handshake", "Handshakes", "Linkage", "handshakes", "interpreter", "linkage"]

HOST = "tls-server"
"""The name in the server's certificate (see the Go service's stage `authority`)."""
PT_INTERP = 3


@dataclass(frozen=True, slots=True)
class Linkage:
    """One program in an image, and what the image has besides."""

    image: str
    program: str
    size_bytes: int
    interpreter: str
    """The dynamic loader that the program names in its header; empty for a static one."""
    interpreter_there: bool
    """Whether the image has that file."""
    files: int
    """How many files the image has."""

    @property
    def static(self) -> bool:
        """Whether the kernel can start it without anything else."""
        return not self.interpreter

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        row = {
            "image": self.image,
            "program": self.program,
            "size_KiB": round(self.size_bytes / KiB),
            "interpreter": self.interpreter or _("none: static"),
            "it is in the image": self.interpreter_there if self.interpreter else _("not needed"),
            "files in the image": self.files,
        }
        return pd.DataFrame([row])


@dataclass(frozen=True, slots=True)
class Handshake:
    """One client's attempt to open a TLS connection."""

    client: str
    size_bytes: int
    """Of the client's image."""
    exit_code: int
    said: str

    @property
    def ok(self) -> bool:
        """Whether the server's certificate was believed and a page came back."""
        return self.exit_code == 0


@dataclass(frozen=True, slots=True)
class Handshakes:
    """The same program in several images, asking the same server."""

    all: tuple[Handshake, ...]

    def client(self, name: str) -> Handshake:
        """Return one client's attempt."""
        return next(attempt for attempt in self.all if attempt.client == name)

    def to_frame(self) -> pd.DataFrame:
        """One row for each client."""
        rows = [(each.client, round(each.size_bytes / KiB), each.exit_code, each.said) for each in self.all]
        return pd.DataFrame(rows, columns=["client", "size_KiB", "exit code", "it says"])


def handshakes(room: Room, server: str, clients: Mapping[str, str]) -> Handshakes:
    """Start the image `server` on a network of its own and let each of `clients` (name → image) ask it for a page.

    Raises CommandFailed and WaitTimedOut when the server does not come up.
    """
    network = room.unique("tls")
    room.cli("network", "create", "--internal", network)
    try:
        options = ("--network", network, "--network-alias", HOST)
        with running(room, HOST, *options, image=server, command=()) as name:
            room.wait.log(room.client.containers.get(name), "serving TLS", within_s=20)
            return Handshakes(tuple(_ask(room, network, client, image) for client, image in clients.items()))
    finally:
        room.cli("network", "rm", network)


def linkage(room: Room, image: str, program: str) -> Linkage:
    """Read the header of `program` in `image`, and look whether the loader that it names is there.

    The image is not run. Raises ImageError when the program is not there or is no 64-bit ELF file.
    """
    with exported(room, image) as tar:
        members = {"/" + member.name: member for member in tar}
        member = members.get(program)
        file = tar.extractfile(member) if member else None
        if file is None:
            raise ImageError(_("There is no {program} in {image}").format(program=program, image=image))
        data = file.read()
    loader = interpreter(data)
    # The engine puts empty files (/etc/hosts, /.dockerenv …) into every container.
    files = sum(each.isfile() and each.size > 0 for each in members.values())
    return Linkage(image, program, len(data), loader, loader in members, files)


def interpreter(program: bytes) -> str:
    """Return the dynamic loader that an ELF file asks for, or nothing for a static one. Raises ImageError."""
    if program[:4] != b"\x7fELF" or program[4] != 2:
        raise ImageError(_("This is no 64-bit ELF program"))
    order = "<" if program[5] == 1 else ">"
    (table,) = struct.unpack_from(f"{order}Q", program, 32)
    size, count = struct.unpack_from(f"{order}HH", program, 54)
    for at in range(table, table + size * count, size):
        kind, _flags, offset, _virtual, _physical, length = struct.unpack_from(f"{order}IIQQQQ", program, at)
        if kind == PT_INTERP:
            return program[offset : offset + length].rstrip(b"\0").decode()
    return ""


def _ask(room: Room, network: str, client: str, image: str) -> Handshake:
    done = room.cli("run", "--rm", "--network", network, image, "fetch", f"https://{HOST}:8443/", check=False)
    size = int(room.api.inspect_image(image)["Size"])
    said = (done.stdout + done.stderr).strip().rpartition(": ")[2]
    return Handshake(client, size, done.returncode, said)
