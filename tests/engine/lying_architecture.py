"""Gateway extensions that lie about what a container is made of: each drops one part of every create request."""

from docker_tutor.gateway.requests import Request

__all__ = ["drop_env", "drop_log_driver", "drop_memory", "drop_volumes", "other_command"]


def _is_create(request: Request) -> bool:
    return request.method == "POST" and request.path == "/containers/create" and request.body is not None


def _host_config(request: Request, *fields: str) -> None:
    if _is_create(request):
        for field in fields:
            request.body.get("HostConfig", {}).pop(field, None)


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
    if _is_create(request):
        request.body.pop("Env", None)


def other_command(request: Request) -> None:
    """Correct the misspelt program, as an obliging tool would."""
    if _is_create(request):
        words = request.body.get("Cmd") or []
        request.body["Cmd"] = ["python" if word == "pyhton" else word for word in words]
