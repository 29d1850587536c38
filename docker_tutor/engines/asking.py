"""Ask a daemon one short question over its Unix socket, without importing a client library."""

import http.client
import json
import socket
from pathlib import Path
from typing import Any

from docker_tutor.errors import EngineNotFound, EngineNotPermitted
from docker_tutor.i18n import _

__all__ = ["ask", "reach"]


def ask(path: Path, method: str, target: str, *, within_s: float = 5) -> Any:
    """Return the daemon's answer, parsed (None when it is empty).

    Raises `OSError`, `http.client.HTTPException` or `ValueError` as it happens; an HTTP error is a `ValueError`.
    """
    connection = http.client.HTTPConnection("docker", timeout=within_s)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.settimeout(within_s)
    try:
        connection.sock.connect(str(path))
        connection.request(method, target)
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status >= http.client.BAD_REQUEST:
        raise ValueError(body.decode(errors="replace"))
    return json.loads(body) if body.strip() else None


def reach(path: Path, *, within_s: float = 5) -> dict[str, Any]:
    """Return the version of the daemon at `path`. Raises `EngineNotFound` or `EngineNotPermitted`."""
    try:
        version: dict[str, Any] = ask(path, "GET", "/version", within_s=within_s)
    except PermissionError as error:
        raise EngineNotPermitted(
            _(
                "You may not use the Docker socket {path}: join its group (`sudo usermod -aG docker $USER`, then log "
                "in again), or run the course as root."
            ).format(path=path)
        ) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise EngineNotFound(
            _("No Docker Engine answers at {path}: start it, or choose another one.").format(path=path)
        ) from error
    return version
