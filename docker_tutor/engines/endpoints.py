"""Where the Docker CLI would look for a daemon: `DOCKER_HOST`, the current context, the default socket.

Source: https://docs.docker.com/engine/manage-resources/contexts/
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker_tutor.engines.dialing import with_tls
from docker_tutor.errors import EngineNotFound
from docker_tutor.i18n import _
from docker_tutor.paths import runtime_folder

__all__ = ["Endpoint", "cli_settings", "current"]

DEFAULT = "unix:///var/run/docker.sock"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A daemon's address, and what is needed to speak to it."""

    address: str
    """`unix://…`, `tcp://…` or `ssh://…`."""
    origin: str
    """Who names it, for a person: `DOCKER_HOST`, `the context "…"`, `the default socket`."""
    tls_folder: Path | None = None
    """The folder of `ca.pem`, `cert.pem` and `key.pem`, when the daemon is to be spoken to with TLS."""

    @property
    def whole(self) -> str:
        """The address with the folder of its certificates: all that it takes to reach the daemon (see `dialing`)."""
        return with_tls(self.address, self.tls_folder)

    @property
    def socket(self) -> Path | None:
        """The Unix socket's path; None when the daemon is elsewhere."""
        return Path(self.address.removeprefix("unix://")) if self.address.startswith("unix://") else None


def current(environment: Mapping[str, str] = os.environ) -> Endpoint:
    """Return what the CLI would use in `environment`. Raises `EngineNotFound` for a context that is not there."""
    host = environment.get("DOCKER_HOST")
    if host and _is_ours(host):  # typed in a notebook or a shell of the course, which say what is behind their gateway
        host = environment.get("DOCKER_TUTOR_UPSTREAM")
    if host and not _is_ours(host):
        named = Path(environment.get("DOCKER_CERT_PATH") or _folder(environment))
        return Endpoint(host, "DOCKER_HOST", named if environment.get("DOCKER_TLS_VERIFY") else None)
    name = environment.get("DOCKER_CONTEXT") or cli_settings(environment).get("currentContext") or "default"
    if name != "default":
        return _context(str(name), _folder(environment))
    return Endpoint(DEFAULT, _("the default socket"))


def cli_settings(environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return the CLI's `config.json`, empty when there is none or it cannot be read."""
    try:
        settings = json.loads((_folder(environment) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return settings if isinstance(settings, dict) else {}


def _folder(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("DOCKER_CONFIG") or Path.home() / ".docker")


def _context(name: str, folder: Path) -> Endpoint:
    number = hashlib.sha256(name.encode()).hexdigest()
    try:
        meta = json.loads((folder / "contexts/meta" / number / "meta.json").read_text(encoding="utf-8"))
        address = str(meta["Endpoints"]["docker"]["Host"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EngineNotFound(
            _("The docker context {name} cannot be read: choose another one with `docker context use`.").format(
                name=name
            )
        ) from error
    tls = folder / "contexts/tls" / number / "docker"
    return Endpoint(address, _('the context "{name}"').format(name=name), tls if tls.is_dir() else None)


def _is_ours(host: str) -> bool:
    """Whether it is a socket of the course (a gateway's, say), which leads back to where we came from."""
    path = Path(host.removeprefix("unix://"))
    return host.startswith("unix://") and path.resolve().is_relative_to(runtime_folder().parent.resolve())
