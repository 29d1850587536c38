"""Removing what a scope has made: found by label, by ledger, and nothing else."""

import asyncio
import time
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from docker_tutor.errors import GatewayError
from docker_tutor.gateway.daemon import Answer, Daemon
from docker_tutor.gateway.labels import SCOPE, STAND_IN
from docker_tutor.gateway.records import Ledger
from docker_tutor.gateway.standins import stand_in_for
from docker_tutor.i18n import _

__all__ = ["Cleaned", "Leftover", "find", "remove"]

_AT_ONCE = 12
_PASSES = 4


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something that could not be removed, or must not be."""

    kind: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a scope had, and what became of it. In a dry run: what there is to remove."""

    scope: str
    containers: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    """Pulled images: they stay as a cache."""
    leftovers: tuple[Leftover, ...] = ()
    seconds: float = 0.0

    def __len__(self) -> int:
        return sum(len(names) for names in (self.containers, self.networks, self.volumes, self.images, self.services))


@dataclass(slots=True)
class _Removal:
    daemon: Daemon
    scope: str
    ledger: Ledger
    disposable: bool
    done: dict[str, set[str]] = field(default_factory=dict)
    left: dict[tuple[str, str], str] = field(default_factory=dict)

    async def each(self, kind: str, work: Iterable[tuple[str, Awaitable[Answer]]]) -> None:
        """Carry out removals side by side, and sort their outcomes."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(name: str, removal: Awaitable[Answer]) -> None:
            async with gate:
                answer = await removal
            if answer.ok or answer.status == 404:
                self.done.setdefault(kind, set()).add(name)
                self.left.pop((kind, name), None)
            else:
                self.left[kind, name] = answer.message

        await asyncio.gather(*(one(name, removal) for name, removal in work))


async def _list(daemon: Daemon, path: str, filters: dict[str, Any], **query: object) -> list[dict[str, Any]]:
    answer = await daemon.call("GET", path, {"filters": filters, **query})
    if not answer.ok:
        if answer.status in {406, 503}:  # no Swarm here
            return []
        raise GatewayError(f"the daemon does not list {path}: {answer.message}")
    found = answer.json()
    if isinstance(found, dict):
        found = found.get("Volumes")
    return list(found or [])


def _label(scope: str | None) -> dict[str, Any]:
    return {"label": [SCOPE if scope is None else f"{SCOPE}={scope}"]}


async def find(daemon: Daemon, scope: str | None = None) -> dict[str, list[dict[str, Any]]]:
    """List what carries the scope's label (any scope's for None): one list per kind, in the API's own form."""
    kinds = ("containers", "networks", "volumes", "images", "services", "secrets", "configs")
    paths = ("/containers/json", "/networks", "/volumes", "/images/json", "/services", "/secrets", "/configs")
    queries: list[dict[str, Any]] = [{"all": 1}, {}, {}, {}, {}, {}, {}]
    lists = await asyncio.gather(
        *(_list(daemon, path, _label(scope), **query) for path, query in zip(paths, queries, strict=True))
    )
    return dict(zip(kinds, lists, strict=True))


def container_name(container: dict[str, Any]) -> str:
    """Return a listed container's name, without the slash."""
    names = container.get("Names") or [container["Id"][:12]]
    return str(names[0]).lstrip("/")


async def remove(
    daemon: Daemon, scope: str, ledger: Ledger, *, disposable: bool = True, dry_run: bool = False
) -> Cleaned:
    """Remove everything of a scope; with `dry_run`, only say what there is.

    Containers go first (killed, with their anonymous volumes), then networks, volumes and images. On an engine
    that is not disposable, what may belong to someone else is left and reported.
    """
    started = time.perf_counter()
    removal = _Removal(daemon, scope, ledger, disposable)
    found = await find(daemon, scope)
    if dry_run:
        here = await _list(daemon, "/images/json", {})
        return _planned(scope, found, ledger, here, time.perf_counter() - started)
    for _pass in range(_PASSES):
        await _services(removal, found)
        await _containers(removal, found["containers"])
        await removal.each(
            "networks", [(n["Name"], daemon.call("DELETE", f"/networks/{n['Id']}")) for n in found["networks"]]
        )
        anonymous = [entry.name for entry in ledger.of("volume")]
        names = [v["Name"] for v in found["volumes"]] + (anonymous if _pass == 0 else [])
        await removal.each("volumes", [(n, daemon.call("DELETE", f"/volumes/{quote(n, safe='')}")) for n in names])
        found = await find(daemon, scope)
        if not any(found[kind] for kind in ("containers", "networks", "volumes", "services")):
            break
    await _tags(removal)
    await _images(removal, [image["Id"] for image in found["images"]])
    done = {kind: tuple(sorted(names)) for kind, names in removal.done.items()}
    return Cleaned(
        scope,
        containers=done.get("containers", ()),
        networks=done.get("networks", ()),
        volumes=done.get("volumes", ()),
        images=done.get("images", ()),
        services=done.get("services", ()),
        kept=tuple(sorted({entry.name for entry in ledger.of("pulled")})),
        leftovers=tuple(Leftover(kind, name, why) for (kind, name), why in sorted(removal.left.items())),
        seconds=time.perf_counter() - started,
    )


def _planned(
    scope: str, found: dict[str, list[dict[str, Any]]], ledger: Ledger, here: list[dict[str, Any]], seconds: float
) -> Cleaned:
    ids = {image["Id"] for image in found["images"]} | {entry.id for entry in ledger.of("image")}
    named = {(name, image["Id"]) for image in here for name in image.get("RepoTags") or []}
    images = {entry.name for entry in ledger.of("tag") if (entry.name, entry.id) in named}
    images |= {image["Id"][7:19] for image in here if image["Id"] in ids and not image.get("RepoTags")}
    images |= {name for image in found["images"] for name in image.get("RepoTags") or []}
    return Cleaned(
        scope,
        containers=tuple(sorted(container_name(c) for c in found["containers"])),
        networks=tuple(sorted(n["Name"] for n in found["networks"])),
        volumes=tuple(sorted({v["Name"] for v in found["volumes"]} | {e.name for e in ledger.of("volume")})),
        images=tuple(sorted(images)),
        services=tuple(sorted(s["Spec"]["Name"] for s in found["services"])),
        kept=tuple(sorted({entry.name for entry in ledger.of("pulled")})),
        seconds=seconds,
    )


async def _services(removal: _Removal, found: dict[str, list[dict[str, Any]]]) -> None:
    for kind in ("services", "secrets", "configs"):
        await removal.each(
            "services",
            [(item["Spec"]["Name"], removal.daemon.call("DELETE", f"/{kind}/{item['ID']}")) for item in found[kind]],
        )


async def _containers(removal: _Removal, containers: list[dict[str, Any]]) -> None:
    async def one(container_id: str) -> Answer:
        answer = await removal.daemon.call("DELETE", f"/containers/{container_id}", {"force": 1, "v": 1})
        if answer.status == 409:  # `--rm` is at it already
            return await removal.daemon.call("POST", f"/containers/{container_id}/wait", {"condition": "removed"})
        return answer

    await removal.each("containers", [(container_name(c), one(c["Id"])) for c in containers])


async def _inspect_image(daemon: Daemon, name: str) -> dict[str, Any] | None:
    answer = await daemon.call("GET", f"/images/{quote(name, safe='/:@')}/json")
    image = answer.json() if answer.ok else None
    return image if isinstance(image, dict) else None


def _stand_in(image: dict[str, Any], name: str = "") -> bool:
    """Return whether an image (under this name) is a stand-in: what was built FROM one has its labels too."""
    stands_for = str(((image.get("Config") or {}).get("Labels") or {}).get(STAND_IN, ""))
    names = {name} if name else set(image.get("RepoTags") or [])
    return bool(stands_for) and not names.isdisjoint({stands_for, stand_in_for(stands_for)})


def _made_here(removal: _Removal, image: dict[str, Any]) -> bool:
    labels = (image.get("Config") or {}).get("Labels") or {}
    return labels.get(SCOPE) == removal.scope or image["Id"] in {entry.id for entry in removal.ledger.of("image")}


async def _tags(removal: _Removal) -> None:
    """Take back the tags that the scope gave, as long as they still point where the scope made them point.

    A name that another image had before is given back to it.
    """
    for lent in removal.ledger.of("lent"):
        image = await _inspect_image(removal.daemon, lent.name)
        if image is not None and image["Id"] == lent.id and _stand_in(image):
            await removal.each("images", [(lent.name, removal.daemon.call("DELETE", f"/images/{lent.name}"))])
    latest = {entry.name: entry for entry in removal.ledger.of("tag")}
    for name, entry in latest.items():
        image = await _inspect_image(removal.daemon, name)
        if image is None:
            continue
        if _stand_in(image, name) and (removal.disposable or name.startswith("docker-tutor/stand-in/")):
            continue  # made once for all scopes
        if image["Id"] != entry.id:
            removal.left["images", name] = _("someone else has given this name to another image since")
            continue
        last = set(image.get("RepoTags") or []) <= {name}
        if last and not removal.disposable and not _made_here(removal, image):
            removal.left["images", name] = _("it is the last name of an image that the scope did not make")
            continue
        if entry.earlier and await _inspect_image(removal.daemon, entry.earlier) is not None:
            repository, _colon, tag = name.rpartition(":")
            back = {"repo": repository, "tag": tag}
            await removal.each("images", [(name, removal.daemon.call("POST", f"/images/{entry.earlier}/tag", back))])
            continue
        await removal.each("images", [(name, removal.daemon.call("DELETE", f"/images/{quote(name, safe='/:@')}"))])


async def _images(removal: _Removal, labelled: list[str]) -> None:
    """Remove images that have no name (any more): built or committed without one, or labelled."""
    ids = list(dict.fromkeys([entry.id for entry in removal.ledger.of("image") if entry.id] + labelled))
    for _pass in range(2):  # an image goes after those that were made from it
        for image_id in reversed(ids):
            image = await _inspect_image(removal.daemon, image_id)
            if image is None or _stand_in(image):
                continue
            force = removal.disposable and image_id in labelled
            if image.get("RepoTags") and not force:
                continue  # it has a name that someone else gave it
            name = image_id.removeprefix("sha256:")[:12]
            await removal.each(
                "images", [(name, removal.daemon.call("DELETE", f"/images/{image_id}", {"force": int(force)}))]
            )
