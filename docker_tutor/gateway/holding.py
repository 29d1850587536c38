"""Who holds a name on the daemon, and what this scope does about it."""

from typing import Any
from urllib.parse import quote

from docker_tutor.gateway.daemon import Daemon
from docker_tutor.gateway.labels import OWNER, SCOPE
from docker_tutor.gateway.names import Names, named_binds
from docker_tutor.gateway.records import Journal
from docker_tutor.gateway.requests import Request

__all__ = ["Holding"]

_COMPOSE_PROJECT = "com.docker.compose.project"
_ANONYMOUS_LENGTH = 64


class Holding:
    """Frees names that the scope holds itself, and finds others where somebody else holds them."""

    def __init__(self, labels: dict[str, str], names: Names, daemon: Daemon, journal: Journal) -> None:
        self._labels, self._names, self._daemon, self._journal = labels, names, daemon, journal

    def owns(self, labels: dict[str, str] | None) -> bool:
        """Return whether an object with these labels was made by this scope."""
        return (labels or {}).get(SCOPE) == self._labels[SCOPE]

    def courses(self, labels: dict[str, str] | None) -> bool:
        """Return whether an object with these labels was made by this scope, or another of its owner's."""
        labels = labels or {}
        return SCOPE in labels and labels.get(OWNER) == self._labels[OWNER]

    async def held(self, kind: str, name: str) -> dict[str, Any] | None:
        """Return what has this name or id, as inspected; None when nothing has."""
        tail = "/json" if kind in {"containers", "images", "exec"} else ""
        found = await self._daemon.call("GET", f"/{kind}/{quote(name, safe='/:@' if kind == 'images' else '')}{tail}")
        held = found.json() if found.ok else None
        return held if isinstance(held, dict) else None

    def _alias(self, kind: str, typed: str) -> str:
        real = self._names.alias(kind, typed)
        self._journal.note("alias", typed, real)
        return real

    async def make_room(self, request: Request) -> bool:
        """After "name taken": free a name of our own, or take another real one; False when neither helps."""
        if request.path == "/containers/create":
            return await self._room_for_container(request, request.body or {})
        if request.path == "/networks/create":
            return await self._room_for_network(request, request.body or {})
        return False

    async def _room_for_container(self, request: Request, body: dict[str, Any]) -> bool:
        name = request.first("name").lstrip("/")
        held = await self.held("containers", name) if name else None
        if held is None:
            return False
        if self.owns(held["Config"].get("Labels")):
            return not _of_compose(body) and await self.free_container(held["Id"])
        request.typed_name = request.typed_name or name
        request.query["name"] = [self._alias("containers", request.typed_name)]
        self._names.answer_to(body, request.typed_name)
        return True

    async def _room_for_network(self, request: Request, body: dict[str, Any]) -> bool:
        held = await self.held("networks", body["Name"]) if body.get("Name") else None
        if held is None:
            return False
        if self.owns(held.get("Labels")):
            return not _of_compose(body) and await self._free_network(held)
        request.typed_name = request.typed_name or body["Name"]
        body["Name"] = self._alias("networks", request.typed_name)
        return True

    async def free_container(self, container_id: str) -> bool:
        """Remove a container of this scope, with its anonymous volumes, and wait until it is gone."""
        answer = await self._daemon.call("DELETE", f"/containers/{container_id}", {"force": 1, "v": 1})
        if answer.status == 409:  # it is being removed already (`--rm`)
            await self._daemon.call("POST", f"/containers/{container_id}/wait", {"condition": "removed"})
        return answer.ok or answer.status in {404, 409}

    async def _free_network(self, network: dict[str, Any]) -> bool:
        for container_id in network.get("Containers") or {}:
            held = await self.held("containers", container_id)
            if held is None or not self.owns(held["Config"].get("Labels")):
                return False
            leave = {"Container": container_id, "Force": True}
            await self._daemon.call("POST", f"/networks/{network['Id']}/disconnect", body=leave)
        return (await self._daemon.call("DELETE", f"/networks/{network['Id']}")).ok

    async def rename(self, request: Request) -> None:
        """Let `docker rename` take another real name when somebody else holds the new one."""
        typed = request.first("name").lstrip("/")
        held = await self.held("containers", typed) if typed else None
        if held is not None and not self.owns(held["Config"].get("Labels")):
            request.query["name"] = [self._alias("containers", typed)]

    async def volume_name(self, typed: str) -> str:
        """Return the real name of a volume: the typed one, unless somebody else's volume has it."""
        name = self._names.resolve("volumes", typed)
        held = await self.held("volumes", name)
        return name if held is None or self.owns(held.get("Labels")) else self._alias("volumes", typed)

    async def make_volumes(self, body: dict[str, Any]) -> None:
        """Make the volumes that a container's create names, because the daemon would make them without a label."""
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
        name = await self.volume_name(typed)
        labels = {**(wanted.get("Labels") or {}), **self._labels}
        await self._daemon.call("POST", "/volumes/create", body={**wanted, "Name": name, "Labels": labels})
        return name

    async def note_anonymous_volumes(self, request: Request) -> None:
        """Note what `docker rm` without `-v` leaves behind: anonymous volumes carry no label of ours."""
        parts = request.parts()
        if len(parts) != 2 or parts[0] != "containers" or request.flag("v"):
            return
        held = await self.held("containers", parts[1])
        if held is not None and self.owns(held["Config"].get("Labels")):
            for mount in held.get("Mounts") or []:
                if mount.get("Type") == "volume" and len(mount.get("Name", "")) == _ANONYMOUS_LENGTH:
                    self._journal.note("volume", mount["Name"])


def _of_compose(body: dict[str, Any]) -> bool:
    # Compose names its containers itself and replaces them in its own way.
    return _COMPOSE_PROJECT in (body.get("Labels") or {})
