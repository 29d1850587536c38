"""Stand-ins on an engine that is not ours: found under the real name by this scope, and by nobody after it.

A stand-in is called `docker-tutor/stand-in/NAME:TAG` there. What a container's create or an inspect names is looked
up under that name when the real one is not there. A build looks names up in the engine, beyond the gateway's
reach: for as long as one runs, the stand-ins are lent those real names that no image has.
"""

import re
from typing import Any
from urllib.parse import quote, unquote

from docker_tutor.gateway.daemon import Daemon
from docker_tutor.gateway.labels import STAND_IN
from docker_tutor.gateway.made import tag_name
from docker_tutor.gateway.records import Journal
from docker_tutor.gateway.requests import Request

__all__ = ["PREFIX", "StandIns", "stand_in_for"]

PREFIX = "docker-tutor/stand-in/"
_LOOKED_UP = {"GET": re.compile(r"/images/(.+)/(json|history|get)"), "POST": re.compile(r"/images/(.+)/(tag)")}
"""Where a request's path names the image that it is about. A tag is another name: of a stand-in, as of an image."""


def stand_in_for(name: str) -> str:
    """Return the name of the stand-in for an image."""
    repository, _colon, tag = tag_name(name).rpartition(":")
    return f"{PREFIX}{repository.replace(':', '-').lower()}:{tag}"


class StandIns:
    """Puts stand-ins in the place of images that are not there."""

    def __init__(self, daemon: Daemon, journal: Journal) -> None:
        self._daemon, self._journal = daemon, journal
        self._lent: dict[str, str] = {}
        self._building = 0

    async def see(self, request: Request) -> None:
        """Let a request name the stand-in when there is one and the real image is not here."""
        if request.path == "/containers/create" and request.body is not None:
            request.body["Image"] = await self._seen(str(request.body.get("Image") or ""))
        elif (looks := _LOOKED_UP.get(request.method)) and (match := looks.fullmatch(request.path)):
            typed = unquote(match[1])
            seen = await self._seen(typed)
            if seen != typed:
                request.path = f"/images/{quote(seen, safe='/:')}/{match[2]}"
        elif request.method == "GET" and request.path == "/images/get":
            request.query["names"] = [await self._seen(name) for name in request.query.get("names", [])]

    async def _seen(self, name: str) -> str:
        if not name or "@" in name or name.startswith(PREFIX) or await self._id(name):
            return name
        stand_in = stand_in_for(name)
        return stand_in if await self._id(stand_in) else name

    async def _id(self, name: str) -> str:
        found = await self._daemon.call("GET", f"/images/{quote(name, safe='/:')}/json")
        return str(found.json()["Id"]) if found.ok else ""

    async def lend(self) -> None:
        """Before a build: give stand-ins the real names that no image has."""
        self._building += 1
        if self._building > 1:
            return
        images: list[dict[str, Any]] = (await self._daemon.call("GET", "/images/json")).json() or []
        taken = {name for image in images for name in image.get("RepoTags") or []}
        for image in images:
            real = tag_name((image.get("Labels") or {}).get(STAND_IN) or "")
            if real == ":latest" or real in taken or stand_in_for(real) not in (image.get("RepoTags") or []):
                continue
            repository, _colon, tag = real.rpartition(":")
            self._journal.note("lent", real, image["Id"])  # first, so that a kill in between is tidied up after
            answer = await self._daemon.call("POST", f"/images/{image['Id']}/tag", {"repo": repository, "tag": tag})
            if answer.ok:
                self._lent[real] = image["Id"]

    async def take_back(self) -> None:
        """After a build: take the lent names back, once no other build of the scope runs."""
        self._building -= 1
        while not self._building and self._lent:
            name, image_id = self._lent.popitem()
            if await self._id(name) == image_id:
                await self._daemon.call("DELETE", f"/images/{quote(name, safe='/:')}")
