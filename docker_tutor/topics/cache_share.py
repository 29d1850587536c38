"""A cache that travels: exported with a build on one machine, imported by a build that has none of its own.

The other machine is played by this one after it has forgotten: BuildKit's entries for these very steps are removed
one by one, by id, and nobody else's. Three ways: inside the image (`inline`), as an artefact of its own in a registry,
and as a folder (`local`); the last two need the containerd image store.
"""

import uuid
from dataclasses import dataclass

import docker.errors
import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _
from docker_tutor.topics import builds

__all__ = ["Exchange", "Shared", "share"]

DOCKERFILE = """FROM {base}
RUN echo {nonce} one > /one
RUN echo {nonce} two > /two
"""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One way of exporting and importing, tried."""

    way: str
    """`inline`, `registry` or `local`."""
    exported: bool
    error: str
    """What the engine said if it could not export."""
    cold: tuple[str, ...]
    """Lines that ran after the forgetting, without an import."""
    imported: tuple[str, ...]
    """Lines that came out of the imported cache."""
    seconds: float
    """How long the build with the import took."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What this engine can share, and how."""

    exchanges: tuple[Exchange, ...]
    note: str = ""
    """Why nothing was tried, if so."""

    def way(self, name: str) -> Exchange:
        """Return one way's result. Raises KeyError."""
        for exchange in self.exchanges:
            if exchange.way == name:
                return exchange
        raise KeyError(name)

    def to_frame(self) -> pd.DataFrame:
        """One row for each way."""
        return pd.DataFrame(
            {
                "cache type": e.way,
                "exported": e.exported,
                "lines run without import": len(e.cold),
                "lines from the imported cache": len(e.imported),
                "build with import [s]": round(e.seconds, 2),
                "said": e.error,
            }
            for e in self.exchanges
        )


def share(room: Room, *, base: str = "alpine:3.19", registry: str = "registry:2") -> Shared:
    """Export a cache in each way, forget, import, and see which lines ran. Removes its registry and images.

    On an engine that is not the course's own nothing is tried: something has to be removed from the build cache.
    """
    if not room.capabilities.disposable:
        return Shared((), _("Not tried: this engine's build cache is not the course's to remove anything from."))
    name = room.unique("registry")
    room.cli("run", "--detach", "--name", name, "--publish", "127.0.0.1::5000", registry)
    try:
        room.wait.running(name)
        [address] = room.cli("port", name, "5000/tcp").stdout.splitlines()[:1]
        port = address.rpartition(":")[2]
        return Shared(tuple(_exchange(room, way, base, port) for way in ("inline", "registry", "local")))
    finally:
        room.cli("rm", "--force", "--volumes", name, check=False)


def _exchange(room: Room, way: str, base: str, port: str) -> Exchange:
    nonce = uuid.uuid4().hex[:8]
    image = f"localhost:{port}/{room.unique('shared')}:{way}"
    again = f"{image}-again"  # a name for each: building under a name again leaves the former image without one
    stored = room.folder / f"cache-{nonce}"
    to, source = {
        "inline": ("type=inline", f"type=registry,ref={image}"),
        "registry": (f"type=registry,ref={image}-cache", f"type=registry,ref={image}-cache"),
        "local": (f"type=local,dest={stored}", f"type=local,src={stored}"),
    }[way]
    folder = builds.write_context(
        room.folder / f"share-{nonce}", {"Dockerfile": DOCKERFILE.format(base=base, nonce=nonce)}
    )
    try:
        first = builds.build(room, folder, tag=image, options=["--push", f"--cache-to={to}"], check=False)
        if not first.ok:
            return Exchange(way, exported=False, error=first.error, cold=(), imported=(), seconds=0.0)
        forget(room, nonce)
        cold = builds.build(room, folder)
        forget(room, nonce)
        warm = builds.build(room, folder, tag=again, options=[f"--cache-from={source}"])
    finally:
        _remove(room, image)
        _remove(room, again)
    return Exchange(way, exported=True, error="", cold=cold.trace.ran, imported=warm.trace.cached, seconds=warm.seconds)


def forget(room: Room, word: str) -> int:
    """Remove from the build cache every entry whose description has `word` in it; returns how many there were."""
    removed = 0
    # An entry goes only when none builds on it any more: the upper ones first, then those they stood on.
    while found := _entries(room, word):
        for identifier in found:
            room.cli("buildx", "prune", "--all", "--force", "--filter", f"id={identifier}")
        left = len(_entries(room, word))
        if left == len(found):
            break
        removed += len(found) - left
    return removed


def _entries(room: Room, word: str) -> list[str]:
    found = []
    for block in room.cli("buildx", "du", "--verbose").stdout.split("\n\n"):
        fields = dict(line.split(":", 1) for line in block.splitlines() if ":" in line)
        if word in fields.get("Description", ""):
            found.append(fields["ID"].strip())
    return found


def _remove(room: Room, image: str) -> None:
    try:
        room.client.images.remove(image, force=True)
    except docker.errors.ImageNotFound:
        return  # the build failed, or pushed without keeping an image here
