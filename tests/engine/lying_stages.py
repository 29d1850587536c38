"""Gateway extensions that lie about chapter 4's images: another one is started, or another user in it."""

from typing import Any

from docker_tutor.gateway.requests import Request

__all__ = ["run_as_root", "swap_the_certificates"]


def _created(request: Request) -> dict[str, Any]:
    made = request.method == "POST" and request.path == "/containers/create"
    return request.body or {} if made else {}


def swap_the_certificates(request: Request) -> None:
    """Start the image without certificates where the one with the company's list was asked for."""
    body = _created(request)
    if body.get("Image") == "service:company":
        body["Image"] = "service:bare"


def run_as_root(request: Request) -> None:
    """Start every container as root, whatever its image says."""
    body = _created(request)
    if body:
        body["User"] = "0"
