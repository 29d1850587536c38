"""A container beside the measured ones that reads their control groups every few milliseconds.

It sees the engine's own tree through a read-only mount, so that the same program serves whether that tree is
visible from this machine or belongs to an engine in a virtual machine. It stands under no limit itself: what it
measures does not slow it down. Source: `man 7 cgroups`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.models.containers import Container

from docker_tutor.classroom.room import Room
from docker_tutor.errors import CommandFailed
from docker_tutor.i18n import _
from docker_tutor.topics import _cgroupfs

__all__ = ["IMAGE", "Observation", "Reading", "Reply", "kept", "look", "observing"]

IMAGE = "python:3.11-slim"
"""What runs inside the measured containers and in the one that watches."""
PATIENCE_S = 20.0
_MOUNT = "/observed"


@dataclass(frozen=True, slots=True)
class Reading:
    """The texts of a container's files at one moment."""

    time_s: float
    """Since the first reading of all."""
    texts: Mapping[str, str]
    """Quantity (a key of `_cgroupfs.PLACES`) → what its file held."""

    def number(self, quantity: str) -> int | None:
        """Read one quantity in its file's unit; None means that there is no limit."""
        return _cgroupfs.number(quantity, self.texts[quantity])


@dataclass(frozen=True, slots=True)
class Reply:
    """One small request and how long its answer took."""

    time_s: float
    """When it was sent, since the first reading of all."""
    latency_s: float


@dataclass(frozen=True, slots=True)
class Observation:
    """What the watching container saw."""

    cgroup_version: int
    paths: Mapping[str, Mapping[str, str]]
    """Name given to a container → quantity → file, as the engine's own machine names it."""
    readings: Mapping[str, tuple[Reading, ...]]
    """Name given to a container → its readings in order."""
    replies: Mapping[str, tuple[Reply, ...]]
    """Name given to a container → its answered requests in the order in which they were sent."""


@contextmanager
def kept(room: Room, name: str, source: str, *words: str, **settings: Any) -> Iterator[Container]:
    """Create (not start) a container that runs a Python program, and remove it when the `with` block ends.

    `settings` go to the Docker SDK as they are: `nano_cpus`, `mem_limit`, … Raises docker.errors.DockerException.
    """
    settings = {"network_mode": "none", "entrypoint": [], **settings}
    command = ["python", "-c", source, *words]
    container = room.client.containers.create(IMAGE, command, name=room.unique(name), **settings)
    try:
        yield container
    finally:
        container.remove(force=True, v=True)


class Watcher:
    """A started watch; `result` waits for its end."""

    def __init__(self, room: Room, container: Container, names: Sequence[str]) -> None:
        self._room, self._container, self._names = room, container, names
        container.start()
        room.wait.log(container, "watching", within_s=PATIENCE_S)

    def result(self) -> Observation:
        """Wait until the watch ends, and return what it saw. Raises WaitTimedOut, CommandFailed."""
        code = self._room.wait.exit(self._container, within_s=4 * PATIENCE_S)
        if code:
            why = self._container.logs(stdout=False).decode(errors="replace").strip().rpartition("\n")[2]
            raise CommandFailed(_("The container that watches the control groups failed: {why}").format(why=why))
        text = self._container.logs(stderr=False).splitlines()[1]
        told = json.loads(text)
        start = min((moment for _name, moment, _texts in told["readings"]), default=0.0)
        readings: dict[str, list[Reading]] = {name: [] for name in self._names}
        for name, moment, texts in told["readings"]:
            readings[name].append(Reading(moment - start, texts))
        replies: dict[str, list[Reply]] = {name: [] for name in self._names}
        for name, sent, took in sorted(told["replies"], key=lambda reply: reply[1]):
            replies[name].append(Reply(sent - start, took))
        return Observation(
            told["version"],
            {
                name: {q: str(_cgroupfs.MOUNT / path) for q, path in files.items()}
                for name, files in told["paths"].items()
            },
            {name: tuple(found) for name, found in readings.items()},
            {name: tuple(found) for name, found in replies.items()},
        )


@contextmanager
def observing(
    room: Room,
    containers: Mapping[str, Container],
    quantities: Sequence[str],
    *,
    for_s: float,
    interval_s: float = 0.01,
    ports: Mapping[str, int] | None = None,
) -> Iterator[Watcher]:
    """Watch containers for `for_s` from the moment that all run, or until one of them ends.

    With `ports`, a small UDP request goes to each at every reading, from inside the network namespace of the first
    container, which must run. Raises CommandFailed when the watch cannot be kept.
    """
    ids = {name: str(container.id) for name, container in containers.items()}
    plan = {
        "containers": ids,
        "quantities": list(quantities),
        "ports": dict(ports or {}),
        "root": _MOUNT,
        "interval_s": interval_s,
        "for_s": for_s,
        "patience_s": PATIENCE_S * room.engine.slowness,
    }
    source = Path(_cgroupfs.__file__).read_text(encoding="utf-8")
    network = f"container:{next(iter(ids.values()))}" if ports else "none"
    volumes = {str(_cgroupfs.MOUNT): {"bind": _MOUNT, "mode": "ro"}}
    with kept(room, "watch", source, json.dumps(plan), network_mode=network, volumes=volumes) as watcher:
        yield Watcher(room, watcher, list(ids))


def look(room: Room, container: Container, quantities: Sequence[str]) -> tuple[int, dict[str, tuple[str, str]]]:
    """Read a running container's files once: version of control groups, and quantity → (path, text).

    They are read from here where the engine's tree is visible, else from a container that sees it. What this
    kernel's version does not have is left out. Raises CommandFailed when the group cannot be found.
    """
    container_id = str(container.id)
    here = {q: path for q in quantities if (path := _cgroupfs.file(q, container_id))}
    if here:
        return _cgroupfs.version(), {q: (str(path), path.read_text()) for q, path in here.items()}
    with observing(room, {"it": container}, quantities, for_s=0.0) as watcher:
        seen = watcher.result()
    if not seen.readings["it"]:
        raise CommandFailed(_("The control group of container {name} cannot be found.").format(name=container.name))
    texts = seen.readings["it"][0].texts
    return seen.cgroup_version, {q: (seen.paths["it"][q], text) for q, text in texts.items()}
