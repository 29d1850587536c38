"""A daemon that is there already: shared with the reader's own work, so never restarted, pruned or thrown away."""

import http.client
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from docker_tutor.engines import programs as unpacked
from docker_tutor.engines.asking import ask, reach
from docker_tutor.engines.base import Capabilities, EngineStatus, Tools
from docker_tutor.engines.dialing import known
from docker_tutor.engines.endpoints import Endpoint, cli_settings, current
from docker_tutor.engines.looking import daemon_process
from docker_tutor.errors import EngineNotFound, EngineNotPermitted
from docker_tutor.i18n import _
from docker_tutor.progress import Report, silent

__all__ = ["ExistingEngine"]

FOR_TOPICS = ("docker", "ctr", "runc", "ip", "iptables", "iptables-save", "nsenter", "tc", "ss", "bridge")
KEPT_SETTINGS = ("credsStore", "credHelpers", "proxies")
"""What of the reader's CLI settings goes on to hold; `auths` holds passwords, which are copied nowhere."""
SYSTEM_PLUGINS = tuple(
    f"{prefix}/{folder}/docker/cli-plugins" for prefix in ("/usr/local", "/usr") for folder in ("lib", "libexec")
)
FIRST_WITHIN_S = 15
"""An `ssh` that has to find the way first takes longer than a socket."""
CONTAINERD_SOCKETS = ("/run/containerd/containerd.sock", "/run/docker/containerd/containerd.sock")


class ExistingEngine:
    """The daemon that the Docker CLI would use. `up` and `down` leave it as it is."""

    kind = "existing"
    disposable = False
    slowness = 1

    def __init__(self, endpoint: Endpoint | None = None) -> None:
        """Speak of the daemon at `endpoint`, else of the CLI's current one. Raises `EngineNotFound`."""
        self.endpoint = endpoint or current()
        if not known(self.endpoint.address):
            raise EngineNotFound(
                _(
                    "{origin} names {address}, and the course reaches Docker at unix://, tcp:// and ssh:// only: "
                    "choose another engine with DOCKER_TUTOR_ENGINE or --engine."
                ).format(origin=self.endpoint.origin, address=self.endpoint.address)
            )
        self._socket = self.endpoint.socket
        self._where = self._socket or self.endpoint.whole
        self._told: str | None = None

    @property
    def address(self) -> str:
        """The daemon's own address, with the folder of its certificates where it has any."""
        return self.endpoint.whole

    @property
    def tools(self) -> Tools:
        """The machine's own programs; where it has no `docker`, the course's packages serve."""
        settings = cli_settings()
        config = {name: settings[name] for name in KEPT_SETTINGS if name in settings}
        plugins = [*settings.get("cliPluginsExtraDirs", ()), str(Path.home() / ".docker/cli-plugins")]
        own = {name: Path(place) for name in FOR_TOPICS if (place := shutil.which(name))}
        daemon = daemon_process(self._socket) if self._socket else None
        enter = () if daemon and _same_network(daemon) and os.geteuid() == 0 else None
        containerd = self._containerd() if daemon else None
        path: tuple[Path, ...] = ()
        ours = unpacked.found()
        if ours and "docker" not in own:
            path = (ours.for_people,)
            own["docker"] = ours.path("docker")
        if ours and not _has_plugins(plugins):
            plugins.append(str(ours.plugins))
        config["cliPluginsExtraDirs"] = plugins
        return Tools(path=path, config=config, programs=own, enter=enter, containerd=containerd)

    def _containerd(self) -> str | None:
        """Return the address of its containerd: the one that it names (Docker 27 and later), else the usual one."""
        if self._told is None:
            try:
                info = ask(self._where, "GET", "/info")
                self._told = str((info.get("Containerd") or {}).get("Address") or "")
            except (OSError, ValueError, http.client.HTTPException):
                return None  # it does not answer now
        usual = (self._told,) if self._told else CONTAINERD_SOCKETS
        return next((address for address in usual if os.access(address, os.W_OK)), None)

    def up(self, report: Report = silent) -> None:
        """Verify that it answers; fetch the command line client if the machine has none."""
        reach(self._where, within_s=FIRST_WITHIN_S)
        if not shutil.which("docker"):
            unpacked.ensure(report)

    def down(self, *, purge: bool = False) -> None:
        """Do nothing: it is not ours to stop, and its data is not ours to remove."""
        del purge

    def status(self) -> EngineStatus:
        """Say whether it answers."""
        try:
            version = str(reach(self._where, within_s=FIRST_WITHIN_S)["Version"])
        except EngineNotPermitted as error:
            return EngineStatus(self.kind, "broken", str(error), self.address)
        except EngineNotFound as error:
            return EngineStatus(self.kind, "stopped", str(error), self.address)
        daemon = daemon_process(self._socket) if self._socket else None
        detail = _("Your own Docker Engine answers ({origin}).").format(origin=self.endpoint.origin)
        return EngineStatus(self.kind, "running", detail, self.address, daemon, version)

    def capabilities(self) -> Capabilities:
        """Ask what it can do. Raises `EngineError` when it does not answer."""
        from docker_tutor.engines.probing import probe

        return probe(self._where, self.tools, disposable=False)

    def logs(self) -> str:
        """Say where its log is: it belongs to whoever started the daemon."""
        return _("The log of this engine is kept by whoever started it: try `journalctl -u docker`.")


def _has_plugins(folders: Sequence[str]) -> bool:
    """Whether the machine's CLI has what the course builds and composes with."""
    places = [Path(folder) for folder in (*folders, *SYSTEM_PLUGINS)]
    return all(any((place / name).exists() for place in places) for name in ("docker-buildx", "docker-compose"))


def _same_network(pid: int) -> bool:
    try:
        return Path("/proc/self/ns/net").samefile(f"/proc/{pid}/ns/net")
    except OSError:
        return False
