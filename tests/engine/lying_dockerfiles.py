"""Gateway extensions that lie about rights: an option of `docker run` is dropped, and nothing is said."""

from docker_tutor.gateway.requests import Request

__all__ = ["be_privileged", "drop_cap_drop", "drop_seccomp", "run_as_root"]


def _created(request: Request) -> dict[str, object]:
    """Return the settings of a container that is being created; an empty dictionary for any other request."""
    if request.method == "POST" and request.path == "/containers/create" and request.body is not None:
        return request.body
    return {}


def drop_cap_drop(request: Request) -> None:
    """Drop `--cap-drop`."""
    _host(request).pop("CapDrop", None)


def drop_seccomp(request: Request) -> None:
    """Drop `--security-opt`."""
    _host(request).pop("SecurityOpt", None)


def be_privileged(request: Request) -> None:
    """Give every container all rights."""
    host = _host(request)
    if host:
        host["Privileged"] = True


def run_as_root(request: Request) -> None:
    """Run every container as root, whatever its image says."""
    created = _created(request)
    if created:
        created["User"] = "0:0"


def _host(request: Request) -> dict[str, object]:
    found = _created(request).get("HostConfig", {})
    return found if isinstance(found, dict) else {}
