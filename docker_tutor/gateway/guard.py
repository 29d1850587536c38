"""The guard on an engine that also belongs to others: what is typed changes what is the course's, and nothing else.

It is a guard against accidents, not a jail: `--privileged` and a mounted `/` are allowed, and noted as warnings.
Reading is always allowed. A request that changes something and is not known here is refused.
"""

import re
from typing import Any
from urllib.parse import unquote

from docker_tutor.gateway.holding import Holding
from docker_tutor.gateway.imageguard import ImageGuard
from docker_tutor.gateway.names import is_user_network
from docker_tutor.gateway.prunes import Prunes
from docker_tutor.gateway.records import Journal
from docker_tutor.gateway.requests import Reply, Request
from docker_tutor.i18n import _

__all__ = ["Guard"]

_CLUSTER = {"swarm", "nodes", "services", "secrets", "configs", "tasks", "plugins"}
_IMAGES = re.compile(r"/images/|/build$|/commit$")
_HARMLESS = re.compile(r"/(auth|session|grpc|build)|/(networks|volumes)/create|/containers/[^/]+/wait|/images/.+")
"""What may pass when nothing was said against it: images have been judged by then."""
_SOCKETS = ("/var/run/docker.sock", "/run/docker.sock")


class Guard:
    """Judges the requests of one scope on one engine."""

    def __init__(self, holding: Holding, images: ImageGuard, prunes: Prunes, journal: Journal) -> None:
        self._holding, self._images, self._prunes, self._journal = holding, images, prunes, journal

    async def judge(self, request: Request) -> Reply | None:
        """Return a refusal or an answer of our own; None when the request may pass."""
        if request.method in {"GET", "HEAD", "OPTIONS"}:
            return await self._websocket(request)
        parts = request.parts()
        if parts[0] in _CLUSTER:
            return _refuse(_("swarms, their services and plugins change the whole engine, which is not the course's"))
        if parts[-1] == "prune":
            return await self._prunes.answer(request)
        refused = await self._images.judge(request) if _IMAGES.match(request.path) else None
        if refused is not None or _HARMLESS.fullmatch(request.path):
            return refused
        return await self._objects(request, parts)

    async def _objects(self, request: Request, parts: list[str]) -> Reply | None:
        if request.path == "/containers/create":
            return await self._create(request.body or {})
        if request.path == "/commit":  # stops the container for a moment
            return await self._container(request.first("container"))
        return await self._one(request, parts)

    async def _websocket(self, request: Request) -> Reply | None:
        if request.path.endswith("/attach/ws") and request.flag("stdin"):
            return await self._container(request.parts()[1])
        return None

    async def _one(self, request: Request, parts: list[str]) -> Reply | None:
        kind, name = parts[0], unquote(parts[1]) if len(parts) > 1 else ""
        if kind == "containers" and name:
            if parts[-1] == "attach" and not request.flag("stdin"):
                return None  # only looks on
            return await self._container(name)
        if kind == "exec" and name:
            return await self._exec(name)
        if kind == "networks" and name:
            return await self._network(parts, name, request.body or {})
        if kind == "volumes" and name:
            return await self._volume(name)
        asked = f"{request.method} {request.path}"
        return _refuse(_("“{request}” is not known to the guard of this engine").format(request=asked))

    async def _container(self, name: str) -> Reply | None:
        held = await self._holding.held("containers", name)
        if held is None or self._holding.courses(held["Config"].get("Labels")):
            return None  # what is not there is for the daemon to say
        return _foreign(_("the container “{name}”").format(name=held["Name"].lstrip("/")))

    async def _exec(self, exec_id: str) -> Reply | None:
        held = await self._holding.held("exec", exec_id)
        return None if held is None else await self._container(str(held.get("ContainerID", "")))

    async def _network(self, parts: list[str], name: str, body: dict[str, Any]) -> Reply | None:
        action = parts[-1] if len(parts) > 2 else ""
        if action in {"connect", "disconnect"}:
            refused = await self._container(str(body.get("Container", "")))
            if refused is not None or action == "disconnect":
                return refused
            return await self._join(name)
        held = await self._holding.held("networks", name)
        if held is None or self._holding.courses(held.get("Labels")):
            return None
        return _foreign(_("the network “{name}”").format(name=held["Name"]))

    async def _join(self, network: str) -> Reply | None:
        held = await self._holding.held("networks", network)
        if held is None or not is_user_network(held["Name"]) or self._holding.courses(held.get("Labels")):
            return None
        return _foreign(_("the network “{name}”").format(name=held["Name"]))

    async def _volume(self, name: str) -> Reply | None:
        held = await self._holding.held("volumes", name)
        if held is None or self._holding.courses(held.get("Labels")) or self._journal.has("volume", name):
            return None
        return _foreign(_("the volume “{name}”").format(name=name))

    async def _create(self, body: dict[str, Any]) -> Reply | None:
        host = body.get("HostConfig") or {}
        for source in host.get("VolumesFrom") or []:
            if refused := await self._container(source.partition(":")[0]):
                return refused
        for key in ("NetworkMode", "PidMode", "IpcMode"):
            mode = host.get(key) or ""
            if mode.startswith("container:") and (refused := await self._container(mode.partition(":")[2])):
                return refused
        endpoints = (body.get("NetworkingConfig") or {}).get("EndpointsConfig") or {}
        for network in {host.get("NetworkMode") or "", *endpoints}:
            if is_user_network(network) and (refused := await self._join(network)):
                return refused
        self._warn(host)
        return None

    def _warn(self, host: dict[str, Any]) -> None:
        if host.get("Privileged"):
            self._journal.note("warning", _("a container was made with --privileged: it can change this machine"))
        sources = [bind.partition(":")[0] for bind in host.get("Binds") or []]
        sources += [m.get("Source", "") for m in host.get("Mounts") or [] if m.get("Type") == "bind"]
        for source in sources:
            if source == "/" or source in _SOCKETS:
                sentence = _("a container was given {source} of this machine: what it does there nobody guards")
                self._journal.note("warning", sentence.format(source=source))


def _foreign(what: str) -> Reply:
    sentence = _("The course changes only what it has made itself, and {what} belongs to someone else.")
    return Reply.refuse(sentence.format(what=what))


def _refuse(why: str) -> Reply:
    return Reply.refuse(_("The course changes only what it has made itself: {why}.").format(why=why))
