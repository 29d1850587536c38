"""Gateway extensions that lie about what a container is made of: each drops one part of every create request."""

from typing import Any

from docker_tutor.gateway.requests import Request

__all__ = ["drop_env", "drop_log_driver", "drop_memory", "drop_volumes", "other_command"]


def _asked(request: Request) -> dict[str, Any]:
    """Return what a create request asks for; of any other request, something that may be changed in vain."""
    is_create = request.method == "POST" and request.path == "/containers/create"
    return request.body if is_create and request.body is not None else {}


def _host_config(request: Request, *fields: str) -> None:
    for field in fields:
        _asked(request).get("HostConfig", {}).pop(field, None)


def drop_memory(request: Request) -> None:
    """Drop `--memory`, and `--memory-swap` with it."""
    _host_config(request, "Memory", "MemorySwap")


def drop_volumes(request: Request) -> None:
    """Drop `--volume`."""
    _host_config(request, "Binds", "Mounts")


def drop_log_driver(request: Request) -> None:
    """Drop `--log-driver`."""
    _host_config(request, "LogConfig")


def drop_env(request: Request) -> None:
    """Drop `--env`."""
    _asked(request).pop("Env", None)


def other_command(request: Request) -> None:
    """Correct the misspelt program, as an obliging tool would."""
    asked = _asked(request)
    asked["Cmd"] = ["python" if word == "pyhton" else word for word in asked.get("Cmd") or []]
