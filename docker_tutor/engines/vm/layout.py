"""Where a sandboxed engine keeps what: one place that knows every path."""

from dataclasses import dataclass
from pathlib import Path

from docker_tutor.paths import data_folder, instance, runtime_folder

__all__ = ["Layout"]


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders and files of one instance's virtual machine."""

    name: str
    runtime: Path
    """Owner-only; sockets, certificates, state: gone after `down`."""
    data: Path
    """The disk with images, containers and volumes, and the logs: gone after `down(purge=True)`."""

    @classmethod
    def of_instance(cls) -> "Layout":
        """Return the layout of this process's instance; makes no folder of the engine."""
        return cls(instance(), runtime_folder().resolve() / "vm", data_folder().resolve() / "vm")

    @property
    def certificates(self) -> Path:
        """The folder of `ca.pem`, `cert.pem` and `key.pem`: who has these is the owner of the engine."""
        return self.runtime / "tls"

    @property
    def machine(self) -> Path:
        """What the keeper is to start."""
        return self.runtime / "machine.json"

    @property
    def seed(self) -> Path:
        """What the guest is given at its start: a tar, read as a disk."""
        return self.runtime / "seed.tar"

    @property
    def copy_on_write(self) -> Path:
        """What this guest has changed of the image that all share."""
        return self.runtime / "root.cow"

    @property
    def disk(self) -> Path:
        """The guest's own disk: Docker's data."""
        return self.data / "disk.img"

    @property
    def packed_disk(self) -> Path:
        """A disk that was prepared somewhere else: see `packing`."""
        return self.data / "disk.tar"

    @property
    def port(self) -> Path:
        """The port that the API was forwarded to the last time."""
        return self.data / "port"

    @property
    def net(self) -> Path:
        """Where slirp4netns has its sockets, and nobody else."""
        return self.runtime / "net"

    @property
    def own(self) -> Path:
        """What a fenced machine may write to."""
        return self.runtime / "own"

    @property
    def program_ended(self) -> Path:
        """There once the program that runs in the guest beside its daemon has ended."""
        return self.runtime / "program.ended"

    @property
    def bess(self) -> Path:
        """Where frames are exchanged with slirp4netns."""
        return self.net / "frames.sock"

    @property
    def slirp_socket(self) -> Path:
        """The API of slirp4netns."""
        return self.net / "slirp.sock"

    def share(self, number: int) -> Path:
        """Return the socket over which QEMU's guest sees a folder of ours."""
        return self.runtime / f"share{number}.sock"

    @property
    def saved(self) -> Path:
        """The folder of what is kept of a guest that rests: see `saved`."""
        return self.data / "saved"

    @property
    def saved_state(self) -> Path:
        """Its memory, processors and devices."""
        return self.saved / "state"

    @property
    def saved_stamp(self) -> Path:
        """What that belongs to."""
        return self.saved / "stamp.json"

    @property
    def accelerator(self) -> Path:
        """Whether the processor's help was of use the last time it was tried."""
        return self.data / "accelerator.json"

    @property
    def state(self) -> Path:
        """What was started: the processes with their start times."""
        return self.runtime / "state.json"

    @property
    def ports(self) -> Path:
        """What the keeper forwards."""
        return self.runtime / "ports.json"

    @property
    def ready(self) -> Path:
        """There once Docker has answered."""
        return self.runtime / "ready.json"

    @property
    def crowded(self) -> Path:
        """There while the guest's own disk is full."""
        return self.runtime / "crowded"

    @property
    def ended(self) -> Path:
        """Why the machine ended, when it did by itself."""
        return self.runtime / "ended.json"

    def log(self, program: str) -> Path:
        """Return where `program` writes its log; kept after `down`, so that a failure can be read."""
        return self.data / "logs" / f"{program}.log"
