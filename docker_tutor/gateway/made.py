"""What a scope has made among the images: read from its own requests and the daemon's answers to them."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

from docker_tutor.gateway.daemon import Daemon
from docker_tutor.gateway.records import Journal
from docker_tutor.gateway.requests import Request

__all__ = ["Made", "names_asked_for", "tag_name"]

_ANSWERS = re.compile(r"/images/create|/images/load|/images/.+/tag|/commit|/build")
_LOADED = re.compile(r"Loaded image(?: ID)?: (\S+)")


def tag_name(repository: str, tag: str = "") -> str:
    """Return the short, complete form of an image's name: `docker.io/library/web` is `web:latest`."""
    name = repository.removeprefix("docker.io/").removeprefix("library/")
    if tag:
        return f"{name}@{tag}" if ":" in tag else f"{name}:{tag}"
    return name if "@" in name or ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"


def names_asked_for(request: Request) -> list[str]:
    """Return the names that a request wants to give to an image (`docker tag`, `build -t`, `commit`, `import`)."""
    names = list(request.query.get("t", []))
    if request.first("repo"):
        names.append(tag_name(unquote(request.first("repo")), request.first("tag")))
    return [tag_name(name) for name in names if name]


class Made:
    """Writes pulled, tagged, built, committed, imported and loaded images into the ledger."""

    def __init__(self, daemon: Daemon, journal: Journal) -> None:
        self._daemon, self._journal = daemon, journal
        self.tags: set[str] = set()
        self.ids: set[str] = set()
        self.pulled: set[str] = set()
        self.earlier_tags: dict[str, str] = {}
        self.earlier_ids: set[str] = set()
        self._moved: dict[str, str] = {}

    def wants_answer(self, request: Request) -> bool:
        """Return whether this request may make an image."""
        return request.method == "POST" and _ANSWERS.fullmatch(request.path) is not None

    async def prepare(self) -> None:
        """Look at the images before one is made: what is here already is nobody's to remove later."""
        listed = await self._daemon.call("GET", "/images/json")
        images = (listed.json() or []) if listed.ok else []
        self.earlier_ids |= {image["Id"] for image in images} - self.ids
        named = [(name, image["Id"]) for image in images for name in image.get("RepoTags") or []]
        self.earlier_tags = {name: image_id for name, image_id in named if name not in self.tags}

    async def note(self, request: Request, body: bytes) -> None:
        """Note what a request that succeeded has made."""
        if not self.wants_answer(request):
            return
        if request.path == "/images/create" and request.first("fromImage"):
            name = tag_name(request.first("fromImage"), request.first("tag"))
            if name not in self.earlier_tags:
                self.pulled.add(name)
            self._journal.note("pulled", name)
            return
        for line in _lines(body):
            for name in _LOADED.findall(str(line.get("stream", ""))):
                await self._made(name)
            aux = line.get("aux")
            for found in (line.get("Id"), line.get("status"), aux.get("ID") if isinstance(aux, dict) else None):
                if str(found).startswith("sha256:"):  # committed, imported, built
                    await self._made(str(found))
        for name in names_asked_for(request):
            await self.tagged(name)

    async def _made(self, name: str) -> None:
        if name.startswith("sha256:"):
            self._made_image(name)
        else:
            self._made_image(await self.tagged(name))

    def _made_image(self, image_id: str) -> None:
        if image_id and image_id not in self.earlier_ids:
            self.ids.add(image_id)
            self._journal.note("image", "", image_id)

    async def tagged(self, name: str) -> str:
        """Note that this scope gave an image this name, unless it had it before; return the image's id."""
        name = tag_name(name)
        found = await self._daemon.call("GET", f"/images/{quote(name, safe='/:@')}/json")
        image_id = str(found.json()["Id"]) if found.ok else ""
        earlier = self._moved.get(name, self.earlier_tags.get(name, ""))
        if image_id and image_id != earlier:
            self.tags.add(name)
            self._moved[name] = earlier
            self._journal.note("tag", name, image_id, earlier)
        return image_id

    async def built(self, names: list[str], ids: list[str]) -> None:
        """Note what a build with BuildKit has made: names, or an image without one (the first id that is one)."""
        for name in names:
            await self.tagged(name)
        for image_id in ids:
            if (await self._daemon.call("GET", f"/images/{image_id}/json")).ok:
                self._made_image(image_id)
                return


def _lines(body: bytes) -> Iterator[dict[str, Any]]:
    for line in body.splitlines():
        try:
            parsed = json.loads(line)
        except ValueError:
            continue  # the first line of a long answer may have been cut
        if isinstance(parsed, dict):
            yield parsed
