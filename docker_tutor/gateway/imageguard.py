"""The guard's part about images: whose they are is known from the scope's ledger, because most carry no label."""

import asyncio
from collections.abc import Callable, Iterable
from typing import IO, Any
from urllib.parse import unquote

from docker_tutor.gateway.archive import UnreadableArchive, names_in
from docker_tutor.gateway.holding import Holding
from docker_tutor.gateway.labels import STAND_IN
from docker_tutor.gateway.made import Made, names_asked_for, tag_name
from docker_tutor.gateway.records import LedgerEntry
from docker_tutor.gateway.requests import Reply, Request
from docker_tutor.i18n import _

__all__ = ["ImageGuard"]

_OURS = "docker-tutor/"


class ImageGuard:
    """Judges what is done to images and to their names."""

    def __init__(self, holding: Holding, made: Made, others: Callable[[], Iterable[LedgerEntry]]) -> None:
        """`others` returns the ledger entries of the course's other scopes."""
        self._holding, self._made, self._others = holding, made, others

    async def judge(self, request: Request) -> Reply | None:
        """Return a refusal, or None when the request may pass."""
        if request.method == "DELETE":
            return await self._remove(unquote(request.path.removeprefix("/images/")))
        if request.path == "/images/load":
            return await self._load(request.spool)
        names = names_asked_for(request)
        if request.path == "/images/create" and (source := request.first("fromImage")):
            tag = request.first("tag")
            if ":" in tag or "@" in source:
                return None  # by digest: moves no name
            names = [tag_name(source, tag)]
            if not tag and ":" not in source.rsplit("/", 1)[-1]:  # all tags of it
                await self._made.prepare()
                names = [name for name in self._made.earlier_tags if name.rpartition(":")[0] == tag_name(source)[:-7]]
        return await self.moves(names)

    async def moves(self, names: list[str]) -> Reply | None:
        """Return a refusal when one of these names is somebody else's already."""
        if names:
            await self._made.prepare()
        for name in map(tag_name, names):
            image_id = self._made.earlier_tags.get(name)
            if image_id is None or name.startswith(_OURS) or self._made_by_another_scope(name, image_id):
                continue
            sentence = _("“{name}” is the name of an image that was here before the course: choose another name.")
            return Reply.refuse(sentence.format(name=name), 409)
        return None

    def _made_by_another_scope(self, name: str, image_id: str) -> bool:
        return any(entry.kind == "tag" and (entry.name, entry.id) == (name, image_id) for entry in self._others())

    async def _load(self, spool: IO[bytes] | None) -> Reply | None:
        if spool is None:
            return None
        try:
            return await self.moves(await asyncio.to_thread(names_in, spool))
        except UnreadableArchive as error:
            sentence = _("The course cannot see which names this archive would give to images: {error}")
            return Reply.refuse(sentence.format(error=error), 400)

    async def _remove(self, name: str) -> Reply | None:
        image = await self._holding.held("images", name)
        if image is None:
            return None
        labels = (image.get("Config") or {}).get("Labels") or {}
        tags = set(image.get("RepoTags") or [])
        by_id = tag_name(name) not in tags
        going = tags if by_id else {tag_name(name)}
        last = by_id or tags == going
        if all(self._is_ours(tag) for tag in going) and not (last and self._was_here(image, labels)):
            return None
        shown = name if by_id else tag_name(name)
        sentence = _("The course changes only what it has made itself, and the image “{name}” was here before.")
        return Reply.refuse(sentence.format(name=shown))

    def _is_ours(self, tag: str) -> bool:
        made = self._made
        return tag in made.tags or tag in made.pulled or tag.startswith(_OURS)

    def _was_here(self, image: dict[str, Any], labels: dict[str, str]) -> bool:
        if image["Id"] in self._made.ids or self._holding.courses(labels) or STAND_IN in labels:
            return False
        return not any(tag in self._made.pulled for tag in image.get("RepoTags") or [])
