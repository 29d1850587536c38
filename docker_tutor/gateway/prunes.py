"""Prunes, answered in the API's own form: what is this scope's is listed and then removed one by one.

The daemon's own prune filters do not confine: `/build/prune` ignores labels and takes the whole cache.
"""

import json
import re
import time
from datetime import datetime
from typing import Any
from urllib.parse import quote

from docker_tutor.gateway.daemon import Daemon
from docker_tutor.gateway.labels import SCOPE
from docker_tutor.gateway.made import Made
from docker_tutor.gateway.records import Journal
from docker_tutor.gateway.requests import Reply, Request
from docker_tutor.i18n import _

__all__ = ["Prunes"]

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}
ANONYMOUS = "com.docker.volume.anonymous"
"""The engine's own label of a volume that nobody gave a name: a prune takes those even without `all`."""
_KNOWN_FILTERS = {"label", "until", "dangling", "all"}


class Prunes:
    """Answers the prunes of one scope."""

    def __init__(self, scope: str, daemon: Daemon, made: Made, journal: Journal) -> None:
        self._scope, self._daemon, self._made, self._journal = scope, daemon, made, journal

    async def answer(self, request: Request) -> Reply:
        """Prune what is the scope's, and say so as the daemon would."""
        try:
            filters = _filters(request)
        except ValueError as error:
            return Reply.refuse(_("The course cannot confine this prune: {error}").format(error=error), 400)
        answers = {
            "containers": self._containers,
            "images": self._images,
            "volumes": self._volumes,
            "networks": self._networks,
            "build": self._cache,
        }
        answer = answers.get(request.parts()[0])
        if answer is None:
            sentence = _("The course does not know how to confine “{path}”.")
            return Reply.refuse(sentence.format(path=request.path))
        return await answer(filters)

    async def _cache(self, _filters: dict[str, Any]) -> Reply:
        # A build's cache belongs to nobody in particular; the one of others stays warm.
        return Reply(200, {"CachesDeleted": None, "SpaceReclaimed": 0})

    async def _list(self, path: str, filters: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
        labels = [f"{SCOPE}={self._scope}", *filters.get("label", [])]
        listed = (await self._daemon.call("GET", path, {"filters": {"label": labels}, **query})).json()
        return list((listed.get("Volumes") if isinstance(listed, dict) else listed) or [])

    async def _gone(self, path: str, **query: Any) -> bool:
        return (await self._daemon.call("DELETE", path, query)).ok

    async def _containers(self, filters: dict[str, Any]) -> Reply:
        deleted, freed = [], 0
        for container in await self._list("/containers/json", filters, all=1, size=1):
            ended = container["State"] not in {"running", "paused", "restarting"}
            if ended and _old(container["Created"], filters) and await self._gone(f"/containers/{container['Id']}"):
                deleted.append(container["Id"])
                freed += container.get("SizeRw") or 0
        return Reply(200, {"ContainersDeleted": deleted or None, "SpaceReclaimed": freed})

    async def _networks(self, filters: dict[str, Any]) -> Reply:
        deleted = [
            network["Name"]
            for network in await self._list("/networks", filters)
            if _old(_seconds(network["Created"]), filters) and await self._gone(f"/networks/{network['Id']}")
        ]
        return Reply(200, {"NetworksDeleted": deleted or None})

    async def _volumes(self, filters: dict[str, Any]) -> Reply:
        every = _says_yes(filters, "all")
        own = await self._list("/volumes", filters)
        names = [entry["Name"] for entry in own if every or ANONYMOUS in (entry.get("Labels") or {})]
        if not filters.get("label"):
            names += [name for kind, name in self._journal.names() if kind == "volume" and name not in names]
        sizes = await self._sizes(names)
        deleted = [name for name in names if name in sizes and await self._gone(f"/volumes/{quote(name, safe='')}")]
        return Reply(200, {"VolumesDeleted": deleted or None, "SpaceReclaimed": sum(sizes[name] for name in deleted)})

    async def _sizes(self, names: list[str]) -> dict[str, int]:
        """Return the bytes of those of these volumes that there are."""
        if not names:
            return {}
        used = (await self._daemon.call("GET", "/system/df", {"type": "volume"})).json() or {}
        volumes = {
            entry["Name"]: max(0, (entry.get("UsageData") or {}).get("Size", 0)) for entry in used["Volumes"] or []
        }
        return {name: volumes[name] for name in names if name in volumes}

    async def _images(self, filters: dict[str, Any]) -> Reply:
        named_too = not _says_yes(filters, "dangling", default=True)
        wanted = filters.get("label") or []
        query = {"filters": {"label": wanted}} if wanted else {}
        images = (await self._daemon.call("GET", "/images/json", query)).json() or []
        deleted: list[dict[str, str]] = []
        freed = 0
        for image in images:
            tags = [tag for tag in image.get("RepoTags") or [] if tag != "<none>:<none>"]
            ours = image["Id"] in self._made.ids and set(tags) <= self._made.tags
            if not ours or (tags and not named_too) or not _old(image["Created"], filters):
                continue
            for name in tags or [image["Id"]]:
                answer = await self._daemon.call("DELETE", f"/images/{quote(name, safe='/:@')}")
                deleted += answer.json() if answer.ok else []
            freed += image.get("Size") or 0
        return Reply(200, {"ImagesDeleted": deleted or None, "SpaceReclaimed": freed if deleted else 0})


def _filters(request: Request) -> dict[str, list[str]]:
    """Return a prune's filters; older clients send `{"until": {"24h": true}}`. Raises ValueError."""
    given = json.loads(request.first("filters") or "{}")
    filters = {key: list(values) for key, values in given.items()}
    if unknown := set(filters) - _KNOWN_FILTERS - {"unused-for", "type", "id"}:
        raise ValueError(f"filter {', '.join(sorted(unknown))}")
    filters["_before"] = [str(_moment(text)) for text in filters.get("until", [])]
    return filters


def _says_yes(filters: dict[str, list[str]], key: str, *, default: bool = False) -> bool:
    values = filters.get(key)
    return default if not values else values[0].lower() in {"1", "true", "t"}


def _moment(text: str) -> float:
    """Read an `until`: seconds since the epoch, a time, or a duration before now. Raises ValueError."""
    if re.fullmatch(r"(\d+(\.\d+)?[hms])+", text):
        ago = sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"([\d.]+)([hms])", text))
        return time.time() - ago
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else _seconds(text)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).astimezone().timestamp()


def _old(created_s: float, filters: dict[str, list[str]]) -> bool:
    return all(created_s < float(moment) for moment in filters["_before"])
