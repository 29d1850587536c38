"""What the gateway does with the requests of its scope: labels, names, volumes, and the ledger's entries."""

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from docker_tutor.gateway.daemon import Answer, Daemon
from docker_tutor.gateway.labels import OWNER, SCOPE
from docker_tutor.gateway.names import Names, named_binds
from docker_tutor.gateway.made import Made
from docker_tutor.gateway.records import Journal
from docker_tutor.gateway.requests import Reply, Request
from docker_tutor.gateway.wire import Watch

__all__ = ["Extension", "ScopeRules"]

Extension = Callable[[Request], Reply | Awaitable[Reply | None] | None]
"""Sees every request after the gateway's own rules, may change it in place, or answer it with a Reply."""

_COMPOSE_PROJECT = "com.docker.compose.project"
_HELD_TRIES = 4


class ScopeRules:
    """The rules of one scope on one daemon."""

    def __init__(
        self, scope: str, owner: str, daemon: Daemon, journal: Journal, extension: Extension | None = None
    ) -> None:
        self.scope = scope
        self.labels = {SCOPE: scope, OWNER: owner}
        self.daemon = daemon
        self.journal = journal
        self.names = Names(scope.rsplit("-", 1)[-1])
        self.made = Made(daemon, journal)
        self.extension = extension
        self.creating: set[asyncio.Future[None]] = set()
        self.closing = False

    async def before(self, request: Request) -> Reply | None:
        """Prepare a request. See `proxy.Rules`."""
        request.scope = self.scope
        self.names.rewrite(request)
        if request.method == "POST":
            if self.closing and request.path.endswith(("/create", "/build", "/commit", "/grpc")):
                return Reply.refuse("this notebook's scope is being closed: nothing new is made in it", 503)
            self._label(request)
            if request.path == "/containers/create" and request.body is not None:
                await self._make_volumes(request.body)
            elif request.path.endswith("/rename"):
                await self._rename(request)
        elif request.method == "DELETE":
            await self._note_anonymous_volumes(request)
        if self.extension is None:
            return None
        reply = self.extension(request)
        return await reply if inspect.isawaitable(reply) else reply

    def _label(self, request: Request) -> None:
        body = request.body
        if body is not None and (request.path.endswith("/create") or request.path == "/commit"):
            body["Labels"] = {**(body.get("Labels") or {}), **self.labels}
        elif request.path == "/build":
            labels = json.loads(request.first("labels") or "{}") or {}
            request.query["labels"] = [json.dumps({**labels, **self.labels})]

    async def _make_volumes(self, body: dict[str, Any]) -> None:
        for places, index in named_binds(body):
            entry = places[index]
            if isinstance(entry, str):
                name, _, rest = entry.partition(":")
                places[index] = f"{await self._volume(name, {})}:{rest}"
            else:
                options = entry.get("VolumeOptions") or {}
                driver = options.get("DriverConfig") or {}
                wanted = {
                    "Driver": driver.get("Name") or "local",
                    "DriverOpts": driver.get("Options") or {},
                    "Labels": options.get("Labels") or {},
                }
                entry["Source"] = await self._volume(entry["Source"], wanted)

    async def _volume(self, typed: str, wanted: dict[str, Any]) -> str:
        """Make a volume that a container names, unless it is there; return its real name."""
        name = await self._volume_name(typed)
        labels = {**(wanted.get("Labels") or {}), **self.labels}
        await self.daemon.call("POST", "/volumes/create", body={**wanted, "Name": name, "Labels": labels})
        return name

    async def _volume_name(self, typed: str) -> str:
        name = self.names.resolve("volumes", typed)
        found = await self.daemon.call("GET", f"/volumes/{quote(name, safe='')}")
        if not found.ok or self.owns((found.json() or {}).get("Labels")):
            return name
        return self._alias("volumes", typed)

    def owns(self, labels: dict[str, str] | None) -> bool:
        """Return whether an object with these labels was made by this scope."""
        return (labels or {}).get(SCOPE) == self.scope

    def _alias(self, kind: str, typed: str) -> str:
        real = self.names.alias(kind, typed)
        self.journal.note("alias", typed, real)
        return real

    async def ask(self, request: Request, headers: list[tuple[bytes, bytes]]) -> Answer:
        """Put a request with a parsed body to the daemon. See `proxy.Rules`."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.creating.add(done)
        try:
            if request.path == "/volumes/create" and request.body and request.body.get("Name"):
                request.body["Name"] = await self._volume_name(request.body["Name"])
            answer = await self._call(request, headers)
            for _try in range(_HELD_TRIES):
                if answer.status != 409 or not await self._make_room(request):
                    break
                answer = await self._call(request, headers)
            return answer
        finally:
            self.creating.discard(done)
            done.set_result(None)

    async def _call(self, request: Request, headers: list[tuple[bytes, bytes]]) -> Answer:
        target = f"{request.version}{request.path}"
        return await self.daemon.call(request.method, target, request.query, request.body, headers)

    async def _make_room(self, request: Request) -> bool:
        """Free a name that this scope holds itself, or take another real one; False when neither helps."""
        body = request.body or {}
        if request.path == "/containers/create" and request.first("name"):
            typed = request.first("name")
            held = await self._held("containers", typed)
            if held is None:
                return False
            if not self.owns(held["Config"].get("Labels")):
                real = self._alias("containers", request.typed_name or typed)
                request.typed_name = request.typed_name or typed
                request.query["name"] = [real]
                self.names.answer_to(body, request.typed_name)
                return True
            return not _of_compose(body) and await self.free_container(held["Id"])
        if request.path == "/networks/create" and body.get("Name"):
            held = await self._held("networks", body["Name"])
            if held is None:
                return False
            if not self.owns(held.get("Labels")):
                request.typed_name = request.typed_name or body["Name"]
                body["Name"] = self._alias("networks", request.typed_name)
                return True
            return not _of_compose(body) and await self._free_network(held)
        return False

    async def _held(self, kind: str, name: str) -> dict[str, Any] | None:
        found = await self.daemon.call("GET", f"/{kind}/{quote(name, safe='')}{'/json' if kind == 'containers' else ''}")
        held = found.json() if found.ok else None
        return held if isinstance(held, dict) else None

    async def free_container(self, container_id: str) -> bool:
        """Remove a container of this scope, with its anonymous volumes, and wait until it is gone."""
        answer = await self.daemon.call("DELETE", f"/containers/{container_id}", {"force": 1, "v": 1})
        if answer.status == 409:  # it is being removed already (`--rm`)
            await self.daemon.call("POST", f"/containers/{container_id}/wait", {"condition": "removed"})
        return answer.ok or answer.status in {404, 409}

    async def _free_network(self, network: dict[str, Any]) -> bool:
        for container_id in network.get("Containers") or {}:
            held = await self._held("containers", container_id)
            if held is None or not self.owns(held["Config"].get("Labels")):
                return False
            leave = {"Container": container_id, "Force": True}
            await self.daemon.call("POST", f"/networks/{network['Id']}/disconnect", body=leave)
        return (await self.daemon.call("DELETE", f"/networks/{network['Id']}")).ok

    async def _rename(self, request: Request) -> None:
        typed = request.first("name").lstrip("/")
        held = await self._held("containers", typed)
        if held is not None and not self.owns(held["Config"].get("Labels")):
            request.query["name"] = [self._alias("containers", typed)]

    async def _note_anonymous_volumes(self, request: Request) -> None:
        """`docker rm` without `-v` leaves anonymous volumes behind, and they carry no label of ours."""
        parts = request.parts()
        if len(parts) != 2 or parts[0] != "containers" or request.flag("v"):
            return
        held = await self._held("containers", parts[1])
        if held is not None and self.owns(held["Config"].get("Labels")):
            for mount in held.get("Mounts") or []:
                if mount.get("Type") == "volume" and len(mount.get("Name", "")) == 64:
                    self.journal.note("volume", mount["Name"])

    def wants_answer(self, request: Request) -> bool:
        """See `proxy.Rules`."""
        return self.made.wants_answer(request)

    async def after(self, request: Request, status: int, body: bytes) -> None:
        """See `proxy.Rules`."""
        if status >= 400:
            return
        if request.path == "/containers/create" and request.first("name") and not request.typed_name:
            # The name was free: it means itself, whatever it stood for before.
            if self.names.typed("containers", request.first("name")) is None:
                self.names.forget("containers", request.first("name"))
        await self.made.note(request, body)

    def watch(self, request: Request) -> Watch | None:
        """See `proxy.Rules`."""
        if request.path != "/grpc":
            return None
        from docker_tutor.gateway.buildkit import BuildkitWatch  # noqa: PLC0415 - 50 ms that only a build needs

        return BuildkitWatch(self._build_starts, self._cache_prune, self.made.built)

    async def _build_starts(self, names: list[str]) -> str | None:
        return None

    def _cache_prune(self) -> str | None:
        return None


def _of_compose(body: dict[str, Any]) -> bool:
    # Compose names its containers itself and replaces them in its own way.
    return _COMPOSE_PROJECT in (body.get("Labels") or {})
