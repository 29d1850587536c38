"""What a typed command needs to reach the room's engine: set for as long as the room is open, then given back.

The reader's own `~/.docker` is never written to. The command line gets a configuration folder of its own, in
which the names of the reader's credential helpers and proxies are carried over, and no password is copied.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from docker_tutor.engines.base import Engine, Tools

__all__ = ["Environment", "for_commands", "write_cli_config"]

# Settings of the reader's that would send a typed command elsewhere, or make it do something else.
_UNSET = (
    "BUILDKIT_HOST",
    "BUILDX_BUILDER",
    "BUILDX_CONFIG",
    "COMPOSE_ENV_FILES",
    "COMPOSE_FILE",
    "COMPOSE_PROFILES",
    "COMPOSE_PROJECT_NAME",
    "DOCKER_API_VERSION",
    "DOCKER_BUILDKIT",
    "DOCKER_CERT_PATH",
    "DOCKER_CONTENT_TRUST",
    "DOCKER_CONTEXT",
    "DOCKER_DEFAULT_PLATFORM",
    "DOCKER_TLS_VERIFY",
)
# Plain text that is the same in every run: no colours, no redrawn lines, no advertisements.
_PLAIN = {
    "BUILDKIT_PROGRESS": "plain",
    "COMPOSE_ANSI": "never",
    "COMPOSE_MENU": "false",
    "COMPOSE_PROGRESS": "plain",
    "DOCKER_CLI_HINTS": "false",
    "DOCKER_SCAN_SUGGEST": "false",
}
# What of the reader's own configuration a command may use: names of helpers and addresses, no secrets.
_CARRIED = ("credsStore", "credHelpers", "proxies")


def for_commands(address: str, engine: Engine, config_folder: Path) -> dict[str, str | None]:
    """Return the variables that make a typed `docker` reach `address`; None means: not set at all.

    The engine's own programs come first in `PATH`; the folder of `docker-tutor` comes last, so that it is found
    and hides nothing. `docker-tutor` itself, typed in the room, is led past the gateway to the engine.
    """
    programs = [str(folder) for folder in engine.tools.path]
    usual = os.environ.get("PATH", os.defpath).split(os.pathsep)
    own = str(Path(sys.executable).parent)
    path = [*programs, *(folder for folder in usual if folder not in programs)]
    if own not in path:
        path.append(own)
    return {
        **dict.fromkeys(_UNSET),
        **_PLAIN,
        "CONTAINERD_ADDRESS": engine.tools.containerd,
        "DOCKER_HOST": address,
        "DOCKER_CONFIG": str(config_folder),
        "DOCKER_TUTOR_ENGINE": engine.kind,
        "DOCKER_TUTOR_UPSTREAM": engine.address,
        "PATH": os.pathsep.join(path),
    }


def write_cli_config(folder: Path, tools: Tools) -> Path:
    """Write the command line's `config.json` into `folder` (made owner-only) and return the folder."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    theirs = _settings(Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json")
    wanted = {key: theirs[key] for key in _CARRIED if key in theirs} | dict(tools.config)
    (folder / "config.json").write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")
    return folder


class Environment:
    """Variables and a working directory, changed for this process and given back as they were."""

    def __init__(self, variables: Mapping[str, str | None], folder: Path) -> None:
        """Prepare to set `variables` and to work in `folder`; nothing is changed yet."""
        self.variables = dict(variables)
        self.folder = folder
        self._before: dict[str, str | None] | None = None
        self._came_from: Path | None = None

    def enter(self) -> None:
        """Set the variables and change the working directory."""
        if self._before is not None:
            return
        self._before = {name: os.environ.get(name) for name in self.variables}
        self._came_from = _working_directory()
        _set(self.variables)
        os.chdir(self.folder)

    def restore(self) -> None:
        """Give back every variable and the working directory as `enter` found them. May be called again."""
        if self._before is None:
            return
        _set(self._before)
        self._before = None
        if self._came_from is not None and self._came_from.is_dir():
            os.chdir(self._came_from)

    def merged(self) -> dict[str, str]:
        """Return a whole environment for a child process: this process's own, with the variables applied."""
        merged = {**os.environ, **self.variables}
        return {name: value for name, value in merged.items() if value is not None}


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _working_directory() -> Path | None:
    try:
        return Path.cwd()
    except FileNotFoundError:  # it was removed while we were in it
        return None


def _settings(file: Path) -> dict[str, object]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # none, or one that the CLI could not read either
    return found if isinstance(found, dict) else {}
