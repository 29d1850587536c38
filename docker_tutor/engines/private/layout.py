"""Where a private engine keeps what: one place that knows every path."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from docker_tutor.paths import data_folder, instance, runtime_folder

__all__ = ["Layout"]


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders and files of one instance's private engine. Paths are real paths, as the mount table has them."""

    name: str
    runtime: Path
    """Owner-only; sockets, namespaces, state: gone after `down`."""
    data: Path
    """Images, containers, volumes, logs: gone after `down(purge=True)`."""

    @classmethod
    def of_instance(cls) -> "Layout":
        """Return the layout of this process's instance; makes no folder of the engine."""
        return cls(instance(), runtime_folder().resolve() / "engine", data_folder().resolve() / "engine")

    @property
    def socket(self) -> Path:
        """The daemon's API."""
        return self.runtime / "docker.sock"

    @property
    def exec_root(self) -> Path:
        """The daemon's run-time state."""
        return self.runtime / "exec"

    @property
    def data_root(self) -> Path:
        """The daemon's data."""
        return self.data / "docker"

    @property
    def containerd_socket(self) -> Path:
        """The address of containerd, which is started beside dockerd: never one that the machine runs already."""
        return self.exec_root / "containerd/containerd.sock"

    @property
    def network_namespace(self) -> Path:
        """The network namespace, held by a bind mount here."""
        return self.runtime / "namespaces/net"

    @property
    def uts_namespace(self) -> Path:
        """The UTS namespace, held by a bind mount here."""
        return self.runtime / "namespaces/uts"

    @property
    def slirp_socket(self) -> Path:
        """The API of slirp4netns."""
        return self.runtime / "slirp.sock"

    @property
    def daemon_json(self) -> Path:
        """The daemon's configuration."""
        return self.runtime / "daemon.json"

    @property
    def state(self) -> Path:
        """What was started: the processes with their start times."""
        return self.runtime / "state.json"

    @property
    def ports(self) -> Path:
        """What the keeper forwards, and why it ended."""
        return self.runtime / "ports.json"

    @property
    def links(self) -> Path:
        """The links that maintainer scripts would have made (`iptables`)."""
        return self.runtime / "bin"

    @property
    def cgroup_parent(self) -> str:
        """The cgroup below which every container's process is found: the machine's cgroups know no users."""
        return f"/docker-tutor-{self.name}-{hashlib.sha256(bytes(self.runtime)).hexdigest()[:6]}"

    @property
    def enter(self) -> tuple[str, ...]:
        """The command that runs another one inside the namespaces; `ip netns exec` would hide the cgroup mounts."""
        return ("nsenter", f"--net={self.network_namespace}", f"--uts={self.uts_namespace}", "--")

    def log(self, program: str) -> Path:
        """Return where `program` writes its log; kept after `down`, so that a failure can be read."""
        return self.data / "logs" / f"{program}.log"
