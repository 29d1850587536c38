"""Ask a daemon one short question, without importing a client library."""

import http.client
import json
from pathlib import Path
from typing import Any

from docker_tutor.engines.dialing import connect
from docker_tutor.errors import EngineNotFound, EngineNotPermitted
from docker_tutor.i18n import _

__all__ = ["ask", "reach"]


def ask(where: Path | str, method: str, target: str, *, within_s: float = 5) -> Any:
    """Return the daemon's answer, parsed (None when it is empty). `where` is its Unix socket, or an address.

    Raises `OSError`, `http.client.HTTPException` or `ValueError` as it happens; an HTTP error is a `ValueError`.
    """
    connection = http.client.HTTPConnection("docker", timeout=within_s)
    connection.sock = connect(_address(where), within_s)
    try:
        connection.request(method, target)
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status >= http.client.BAD_REQUEST:
        raise ValueError(body.decode(errors="replace"))
    return json.loads(body) if body.strip() else None


def reach(where: Path | str, *, within_s: float = 5) -> dict[str, Any]:
    """Return the version of the daemon at a socket or address. Raises `EngineNotFound` or `EngineNotPermitted`."""
    try:
        version: dict[str, Any] = ask(where, "GET", "/version", within_s=within_s)
    except PermissionError as error:
        raise EngineNotPermitted(
            _(
                "You may not use the Docker socket {path}: join its group (`sudo usermod -aG docker $USER`, then log "
                "in again), or run the course as root."
            ).format(path=_shown(where))
        ) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise EngineNotFound(
            _("No Docker Engine answers at {path}: start it, or choose another one.").format(path=_shown(where))
        ) from error
    return version


def _address(where: Path | str) -> str:
    return where if isinstance(where, str) else f"unix://{where}"


def _shown(where: Path | str) -> str:
    return str(where).removeprefix("unix://").partition("?")[0]
