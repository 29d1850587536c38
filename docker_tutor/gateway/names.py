"""Names belong to a scope: a name that is taken by someone else is kept for this scope as an alias.

The typed name goes on working in this scope — in paths, in network modes, links and binds — and, by a network
alias, for the containers' own DNS.
"""

import json
from typing import Any
from urllib.parse import unquote

from docker_tutor.gateway.requests import Request

__all__ = ["Names", "is_user_network", "named_binds"]

_COLLECTIONS = {"create", "json", "prune"}
_PREDEFINED = {"", "default", "bridge", "host", "none", "nat"}


class Names:
    """The typed names of one scope that stand for other real ones, by kind."""

    def __init__(self, suffix: str) -> None:
        self.suffix = suffix
        self._real: dict[str, dict[str, str]] = {"containers": {}, "networks": {}, "volumes": {}}

    def resolve(self, kind: str, name: str) -> str:
        """Return the real name behind a typed one; the same name when there is none."""
        return self._real[kind].get(name, name)

    def typed(self, kind: str, real: str) -> str | None:
        """Return the typed name that stands for a real one, if there is one."""
        return next((typed for typed, name in self._real[kind].items() if name == real), None)

    def alias(self, kind: str, typed: str) -> str:
        """Give a typed name another real one, and return that."""
        self._real[kind][typed] = f"{typed}-{self.suffix}"
        return self._real[kind][typed]

    def forget(self, kind: str, typed: str) -> None:
        """Let a typed name mean itself again."""
        self._real[kind].pop(typed, None)

    def rewrite(self, request: Request) -> None:
        """Put real names in the place of typed ones, wherever the API takes a name."""
        if not any(self._real.values()):
            return
        parts = request.parts()
        if len(parts) > 1 and parts[0] in self._real and parts[1] not in _COLLECTIONS:
            typed = unquote(parts[1])
            real = self.resolve(parts[0], typed)
            if real != typed:
                request.with_part(1, real)
        if request.path == "/commit" and request.query.get("container"):
            request.query["container"] = [self.resolve("containers", request.first("container"))]
        if request.query.get("filters") and request.method == "GET":
            self._rewrite_filters(request)
        if request.body is not None:
            self._rewrite_body(request, parts)

    def _rewrite_filters(self, request: Request) -> None:
        try:
            filters = json.loads(request.first("filters"))
        except ValueError:
            return
        changed = False
        for key, kind in (("container", "containers"), ("network", "networks"), ("volume", "volumes")):
            values = filters.get(key) if isinstance(filters, dict) else None
            if values:
                filters[key] = [self.resolve(kind, name) for name in values]
                changed = True
        if changed:
            request.query["filters"] = [json.dumps(filters)]

    def _rewrite_body(self, request: Request, parts: list[str]) -> None:
        body = request.body or {}
        if parts[0] == "networks" and parts[-1] in {"connect", "disconnect"}:
            typed = str(body.get("Container", ""))
            body["Container"] = self.resolve("containers", typed)
            if parts[-1] == "connect" and body["Container"] != typed:
                endpoint = body["EndpointConfig"] = body.get("EndpointConfig") or {}
                endpoint["Aliases"] = _with(endpoint.get("Aliases"), typed)
        if parts == ["containers", "create"]:
            self._rewrite_create(body)

    def _rewrite_create(self, body: dict[str, Any]) -> None:
        host = body.get("HostConfig") or {}
        for key in ("NetworkMode", "PidMode", "IpcMode"):
            mode = host.get(key) or ""
            if mode.startswith("container:"):
                host[key] = "container:" + self.resolve("containers", mode.removeprefix("container:"))
            elif key == "NetworkMode" and mode:
                host[key] = self.resolve("networks", mode)
        if host.get("Links"):
            host["Links"] = [self._link(link) for link in host["Links"]]
        if host.get("VolumesFrom"):
            host["VolumesFrom"] = [self._head("containers", entry) for entry in host["VolumesFrom"]]
        endpoints = (body.get("NetworkingConfig") or {}).get("EndpointsConfig") or {}
        if endpoints:
            body["NetworkingConfig"]["EndpointsConfig"] = {
                self.resolve("networks", name): endpoint for name, endpoint in endpoints.items()
            }

    def _link(self, link: str) -> str:
        name, _, alias = link.partition(":")
        return f"{self.resolve('containers', name)}:{alias or name}"

    def _head(self, kind: str, entry: str) -> str:
        name, colon, rest = entry.partition(":")
        return f"{self.resolve(kind, name)}{colon}{rest}"

    def answer_to(self, body: dict[str, Any], typed: str) -> None:
        """Let a container that gets another real name be found by DNS under its typed one."""
        host = body.get("HostConfig") or {}
        mode = host.get("NetworkMode") or ""
        networking = body["NetworkingConfig"] = body.get("NetworkingConfig") or {}
        endpoints = networking["EndpointsConfig"] = networking.get("EndpointsConfig") or {}
        if is_user_network(mode):
            endpoints.setdefault(mode, {})
        for network, endpoint in endpoints.items():
            if is_user_network(network):
                settings = endpoints[network] = endpoint or {}
                settings["Aliases"] = _with(settings.get("Aliases"), typed)


def is_user_network(name: str) -> bool:
    """Return whether a network mode names a network that somebody made: only those have DNS aliases."""
    return name not in _PREDEFINED and not name.startswith("container:")


def named_binds(body: dict[str, Any]) -> list[tuple[list[Any], int]]:
    """Return where a container's create names volumes: `(list, index)` into `Binds` and `Mounts`."""
    host = body.get("HostConfig") or {}
    binds, mounts = host.get("Binds") or [], host.get("Mounts") or []
    places = [(binds, i) for i, bind in enumerate(binds) if ":" in bind and bind[0] not in "/.~\\"]
    places += [(mounts, i) for i, m in enumerate(mounts) if (m.get("Type") == "volume" and m.get("Source"))]
    return places


def _with(values: list[str] | None, value: str) -> list[str]:
    values = list(values or [])
    return values if value in values else [*values, value]
