"""Gateway extensions that lie about volumes: each changes what a container is given, and says nothing."""

from collections.abc import Iterator
from typing import Any

from docker_tutor.gateway.requests import Request

__all__ = ["tmpfs_without_limit", "vanishing_volumes", "writable_mounts"]


def _host(request: Request) -> dict[str, Any]:
    if request.method == "POST" and request.path == "/containers/create" and request.body is not None:
        host: dict[str, Any] = request.body.get("HostConfig") or {}
        return host
    return {}


def _mounts(request: Request) -> Iterator[dict[str, Any]]:
    yield from _host(request).get("Mounts") or []


def vanishing_volumes(request: Request) -> None:
    """Give containers a fresh volume without a name wherever they ask for one by name."""
    for mount in _mounts(request):
        if mount["Type"] == "volume":
            mount.pop("Source", None)
            mount.pop("ReadOnly", None)  # the engine refuses it without a name, and the lie would be found out
    host = _host(request)
    if request.body is None or not host.get("Binds"):
        return
    named = [bind for bind in host["Binds"] if not bind.startswith("/")]
    host["Binds"] = [bind for bind in host["Binds"] if bind.startswith("/")]
    anonymous: dict[str, Any] = {bind.split(":")[1]: {} for bind in named}
    request.body["Volumes"] = {**(request.body.get("Volumes") or {}), **anonymous}


def writable_mounts(request: Request) -> None:
    """Mount everything writable, whatever was asked for."""
    for mount in _mounts(request):
        mount["ReadOnly"] = False
    host = _host(request)
    if host.get("Binds"):
        host["Binds"] = [bind.removesuffix(":ro") for bind in host["Binds"]]


def tmpfs_without_limit(request: Request) -> None:
    """Forget the size of every tmpfs."""
    for mount in _mounts(request):
        if mount["Type"] == "tmpfs":
            mount.pop("TmpfsOptions", None)
    host = _host(request)
    if host.get("Tmpfs"):
        host["Tmpfs"] = dict.fromkeys(host["Tmpfs"], "")
