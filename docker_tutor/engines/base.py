"""What an engine is, whatever it runs on: the protocol, its state, and what it can do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from docker_tutor.progress import Report, silent

__all__ = ["Capabilities", "Engine", "EngineStatus", "ForwardedPort", "Tools"]


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs that belong to an engine: what a typed `docker` needs to be found and to work."""

    path: tuple[Path, ...] = ()
    """Folders to put before the others in `PATH`; empty when the machine's own `docker` serves."""
    config: Mapping[str, object] = field(default_factory=dict)
    """What the CLI's `config.json` must say, for example `cliPluginsExtraDirs`."""
    programs: Mapping[str, Path] = field(default_factory=dict)
    """Programs by name that topics run themselves (`ctr`, `runc`, `ip`, `iptables`, `nsenter`, …), as far as known."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What those programs need in their environment."""
    enter: tuple[str, ...] | None = None
    """The command to put before another to run it in the daemon's network and UTS namespaces; `()` when these are
    this machine's own; None when they cannot be entered from here."""
    containerd: str | None = None
    """The address of the daemon's containerd, for `ctr --address`; its namespace is `moby`."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine was found to be able to do, by asking or trying, never by its kind."""

    engine_version: str
    api_version: str
    image_store: Literal["graph", "containerd"]
    storage_driver: str
    cgroup_version: Literal[1, 2]
    cgroup_driver: str
    cpus: int
    memory_bytes: int
    swap_limit: bool
    buildx: str | None
    """Version of the CLI's buildx plugin."""
    compose: str | None
    """Version of the CLI's compose plugin."""
    swarm: bool
    ipvs: bool
    runtimes: tuple[str, ...]
    cache_export_local: bool
    """Whether a build can write `--cache-to type=local`."""
    host_processes: bool
    """Whether a container's processes are visible in this machine's /proc under the PIDs the engine names."""
    host_cgroups: bool
    """Whether a container's cgroup files can be read below this machine's /sys/fs/cgroup."""
    host_layers: bool
    """Whether the image store's directories can be read from here."""
    disposable: bool
    """Whether the engine is the course's own: it may be restarted, pruned and thrown away."""


@dataclass(frozen=True, slots=True)
class ForwardedPort:
    """A listener of the engine's network, and whether it can be reached at 127.0.0.1 on this machine."""

    protocol: Literal["tcp", "udp"]
    port: int
    reached: bool
    note: str = ""
    """Why it cannot be reached."""


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """An engine's state at one moment."""

    kind: str
    state: Literal["running", "stopped", "broken"]
    detail: str
    """One sentence for a person: why it is in this state, and what to do if it is broken."""
    address: str | None = None
    pid: int | None = None
    version: str | None = None
    ports: tuple[ForwardedPort, ...] = ()
    """What listens in the engine's own network; empty when its network is this machine's."""


class Engine(Protocol):
    """Where a daemon comes from. `up` and `down` may be called again and again."""

    kind: str
    disposable: bool

    @property
    def slowness(self) -> int:
        """How many times longer than elsewhere one waits for it before something is wrong: 1, unless it is emulated."""

    @property
    def address(self) -> str:
        """The daemon's own address (`unix:///…`): for the gateway, not for notebooks."""

    @property
    def tools(self) -> Tools:
        """The programs that go with this engine."""

    def up(self, report: Report = silent) -> None:
        """Make the daemon answer; returns at once if it does. Raises EngineError or PackageError."""

    def down(self, *, purge: bool = False) -> None:
        """Stop what `up` started; with `purge`, remove the engine's data too. Never touches what is not ours."""

    def status(self) -> EngineStatus:
        """Say what state the engine is in, without changing it."""

    def capabilities(self) -> Capabilities:
        """Ask or try what the running engine can do. Raises EngineError when it does not answer."""

    def logs(self) -> str:
        """Return the daemon's own log, for reading."""
