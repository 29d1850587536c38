"""Start the private engine's processes, one after the other as each says it is ready."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from docker_tutor.engines import port_ranges
from docker_tutor.engines.private import iptables, nameservers, namespaces, settings
from docker_tutor.engines.private.layout import Layout
from docker_tutor.engines.private.readiness import Readiness
from docker_tutor.engines.private.state import State
from docker_tutor.engines.programs import Programs
from docker_tutor.errors import EngineStartFailed
from docker_tutor.i18n import _
from docker_tutor.paths import checkout
from docker_tutor.processes import Process

__all__ = ["environment", "start", "start_daemon", "start_keeper"]

READY_WITHIN_S = 30
SOCKET_PATH_BYTES = 107
"""`man 7 unix`: 108 with the final zero."""
NOT_PASSED_ON = ("DOCKER_", "NOTIFY_SOCKET", "LISTEN_", "LD_LIBRARY_PATH", "XTABLES_", "CONTAINERD_", "BUILDKIT_")


def environment(layout: Layout, programs: Programs) -> dict[str, str]:
    """Return the daemons' environment: the machine's (proxies, certificates) without what configures another Docker."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
    own = {"PATH": f"{layout.links}:{programs.search_path}", "XTABLES_LIBDIR": str(programs.xtables)}
    return kept | own


def start(layout: Layout, programs: Programs, more: Mapping[str, object] | None = None) -> State:
    """Start everything and return when the daemon answers. Raises `EngineStartFailed`; cleaning up is the caller's.

    `more` are settings of dockerd that go before the course's own.
    """
    longest = len(os.fsencode(f"{layout.containerd_socket}.ttrpc"))
    if longest > SOCKET_PATH_BYTES:
        raise EngineStartFailed(
            _(
                "The folder {folder} has too long a name for sockets below it: set a shorter DOCKER_TUTOR_INSTANCE."
            ).format(folder=layout.runtime)
        )
    for folder in (layout.runtime, layout.exec_root / "containerd", layout.data_root, layout.log("any").parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    layout.data.chmod(0o711)
    starting = _Starting(layout, State(str(programs.folder)), environment(layout, programs))
    containerd_toml, _daemon_json = settings.write(layout, programs, more)
    with (
        port_ranges.claim() as (ports, held),
        Readiness(layout.runtime / "containerd.notify") as containerd_ready,
        Readiness(layout.runtime / "dockerd.notify") as dockerd_ready,
        Readiness(layout.runtime / "keeper.notify") as keeper_ready,
    ):
        namespaces.create(layout, ports)
        command: list[str | Path] = [*layout.enter, programs.path("containerd"), "--config", containerd_toml]
        containerd = starting.run("containerd", command, containerd_ready.environment)
        _start_slirp(starting, programs, [held.fileno()] if held else [])
        iptables.link(layout, programs, starting.environment)
        resolv_conf = nameservers.RESOLV_CONF
        if resolv_conf.exists():
            nameservers.send_on(layout, starting.environment, nameservers.on_loopback(resolv_conf.read_text("utf-8")))
        containerd_ready.wait(containerd, layout.log("containerd"), READY_WITHIN_S)
        dockerd = _run_daemon(starting, programs, dockerd_ready)
        keeper = _run_keeper(starting, keeper_ready)
        dockerd_ready.wait(dockerd, layout.log("dockerd"), READY_WITHIN_S)
        keeper_ready.wait(keeper, layout.log("keeper"), READY_WITHIN_S)
    return starting.state


def start_daemon(layout: Layout, state: State) -> None:
    """Start dockerd alone, beside the containerd that runs already, and a keeper. Raises `EngineStartFailed`."""
    programs = Programs(Path(state.programs))
    starting = _Starting(layout, state, environment(layout, programs))
    with Readiness(layout.runtime / "dockerd.notify") as ready:
        ready.wait(_run_daemon(starting, programs, ready), layout.log("dockerd"), READY_WITHIN_S)
    start_keeper(layout, state)


def start_keeper(layout: Layout, state: State) -> None:
    """Start a new keeper for an engine that has lost its own. Raises `EngineStartFailed`."""
    starting = _Starting(layout, state, environment(layout, Programs(Path(state.programs))))
    with Readiness(layout.runtime / "keeper.notify") as ready:
        ready.wait(_run_keeper(starting, ready), layout.log("keeper"), READY_WITHIN_S)


class _Starting:
    """Starts detached processes and writes each into the state before anything else happens."""

    def __init__(self, layout: Layout, state: State, environment: Mapping[str, str]) -> None:
        self.layout = layout
        self.state = state
        self.environment = environment

    def run(
        self,
        name: str,
        command: Sequence[Path | str],
        more: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> Process:
        with self.layout.log(name).open("wb") as log:
            process = subprocess.Popen(
                command,
                env={**self.environment, **(more or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                pass_fds=pass_fds,
                start_new_session=True,  # Ctrl-C in our terminal is ours to handle
            )
        process.returncode = 0  # nobody waits for it through this object: its end is awaited on a pidfd
        return self.state.started(name, process.pid, self.layout.state)


def _start_slirp(starting: _Starting, programs: Programs, held: Sequence[int]) -> None:
    """Start it with the descriptors `held`, which it does not know: the engine's ports are held while it lives."""
    layout = starting.layout
    layout.slirp_socket.unlink(missing_ok=True)
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as ready:
        try:
            command = [
                # Its sandbox detaches the whole old root. From our own mount namespace that would reach every mount
                # shared with it, above all the file systems of other daemons' containers.
                "unshare",
                "--mount",
                "--propagation=slave",
                programs.path("slirp4netns"),
                "--configure",
                "--mtu=65520",
                "--disable-host-loopback",
                "--enable-seccomp",
                "--enable-sandbox",
                f"--api-socket={layout.slirp_socket}",
                f"--ready-fd={writing}",
                "--netns-type=path",
                layout.network_namespace,
                "tap0",
            ]
            process = starting.run("slirp4netns", [str(part) for part in command], pass_fds=[writing, *held])
        finally:
            os.close(writing)
        if ready.read(1) != b"1":  # the pipe closes when slirp4netns ends before it is ready
            Readiness(layout.runtime / "slirp.notify").wait(process, layout.log("slirp4netns"), 0)


def _run_daemon(starting: _Starting, programs: Programs, ready: Readiness) -> Process:
    layout = starting.layout
    command: list[Path | str] = [*layout.enter, programs.path("dockerd"), "--config-file", layout.daemon_json]
    return starting.run("dockerd", command, ready.environment)


def _run_keeper(starting: _Starting, ready: Readiness) -> Process:
    command = [sys.executable, "-m", "docker_tutor.engines.private.keeper"]
    layout = starting.layout
    command += [layout.name, str(layout.runtime), str(layout.data)]
    return starting.run("keeper", command, {**ready.environment, "PYTHONPATH": str(checkout())})
