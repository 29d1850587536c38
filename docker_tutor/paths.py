"""Where the course keeps its own things: three folders of the user, and nothing else.

The cache (packages, unpacked engines) is shared by all checkouts of one user. Data and runtime
belong to one *instance*, by default the checkout, so that two checkouts do not disturb each other.
The folders follow the XDG base directory specification through platformdirs.
"""

import hashlib
import os
import tempfile
from pathlib import Path

import platformdirs

__all__ = [
    "cache_folder",
    "checkout",
    "data_folder",
    "instance",
    "jupyter_environment",
    "runtime_folder",
    "shared_data_folder",
]

APP = "docker-tutor"


def checkout() -> Path:
    """Return the folder that holds `docker_tutor/`: the checkout of the course."""
    return Path(__file__).resolve().parent.parent


def instance() -> str:
    """Return the short name of this instance: `DOCKER_TUTOR_INSTANCE`, else a hash of the checkout."""
    named = os.environ.get("DOCKER_TUTOR_INSTANCE")
    return named or hashlib.sha256(str(checkout()).encode()).hexdigest()[:8]


def cache_folder() -> Path:
    """Return (and make) the user's cache folder, shared by all instances."""
    return _made(platformdirs.user_cache_path(APP))


def shared_data_folder() -> Path:
    """Return (and make) the user's data folder: what must outlive a checkout."""
    return _made(platformdirs.user_data_path(APP))


def data_folder() -> Path:
    """Return (and make) this instance's data folder: the engine's data root, saved state."""
    return _made(shared_data_folder() / instance())


def runtime_folder() -> Path:
    """Return (and make) this instance's runtime folder, owner-only: sockets, pid files, scopes.

    A Unix socket's path may have 107 bytes (`man 7 unix`), hence the short fallback.
    """
    # Not platformdirs.user_runtime_path: it warns wherever there is no login session, and falls back by itself.
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}") / APP
    if not base.parent.is_dir() or not os.access(base.parent, os.W_OK):
        base = Path(tempfile.gettempdir()) / f"{APP}-{os.getuid()}"
    _private(base)
    return _private(base / instance())


def jupyter_environment() -> dict[str, str]:
    """Return the variables that keep Jupyter's, IPython's and matplotlib's own files out of the user's home.

    The folders are made, for their owner alone: a Jupyter runtime file holds a token.
    """
    data = data_folder() / "jupyter"
    folders = {
        "JUPYTER_CONFIG_DIR": data / "config",
        "JUPYTER_DATA_DIR": data / "data",
        "JUPYTER_RUNTIME_DIR": runtime_folder() / "jupyter",
        "JUPYTERLAB_SETTINGS_DIR": data / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": data / "workspaces",
        "IPYTHONDIR": data / "ipython",
        "MPLCONFIGDIR": data / "matplotlib",
    }
    for folder in folders.values():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {name: str(folder) for name, folder in folders.items()}


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = folder.stat().st_uid
    if owner != os.getuid():
        # Someone else made a folder of our name in a world-writable place: never trust it.
        raise PermissionError(f"{folder} belongs to user {owner}, not to you")
    return folder
