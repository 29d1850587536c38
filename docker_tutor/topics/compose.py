"""What a Compose command does: the project's containers, networks and volumes before and after.

Source: Docker's reference of `docker compose`; the labels are Compose's own (`com.docker.compose.*`).
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from docker.errors import NotFound

from docker_tutor.classroom.room import Room

__all__ = ["Effect", "Inventory", "containers", "effect", "inventory"]

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
NUMBER = "com.docker.compose.container-number"


@dataclass(frozen=True, slots=True)
class Inventory:
    """What belongs to one project at one moment: each object's name, and its state or driver."""

    containers: dict[str, str]
    """`service-number` → state (`running`, `exited` …)."""
    container_ids: dict[str, str]
    """`service-number` → container id: tells a restarted container from a new one."""
    networks: dict[str, str]
    """Name within the project → driver."""
    volumes: dict[str, str]
    """Name within the project → driver."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What one command changed."""

    command: str
    before: Inventory
    after: Inventory
    output: str

    @property
    def changes(self) -> tuple[tuple[str, str, str, str], ...]:
        """Return (kind, name, before, after) for everything that differs; `—` where there is nothing."""
        changes = []
        for kind in ("containers", "networks", "volumes"):
            old, new = getattr(self.before, kind), getattr(self.after, kind)
            for name in sorted(old.keys() | new.keys()):
                was, now = old.get(name, "—"), new.get(name, "—")
                replaced = kind == "containers" and self._ids(name)
                if was != now or replaced:
                    changes.append((kind.removesuffix("s"), name, was, f"{now} (new)" if replaced else now))
        return tuple(changes)

    def _ids(self, name: str) -> bool:
        ids = self.before.container_ids.get(name), self.after.container_ids.get(name)
        return None not in ids and ids[0] != ids[1]

    def to_frame(self) -> pd.DataFrame:
        """Return one line per object that changed."""
        return pd.DataFrame(list(self.changes), columns=["kind", "name", "before", "after"])


def inventory(room: Room, project: str) -> Inventory:
    """List what belongs to `project`, containers with the state that they have at this moment."""
    own = {"label": f"{PROJECT}={project}"}
    states, ids = {}, {}
    for container in room.api.containers(all=True, filters=own):
        labels = container["Labels"]
        name = f"{labels[SERVICE]}-{labels.get(NUMBER, '1')}"
        # The engine's list may be a moment behind: a container that `stop` has waited for can still be running in it.
        with suppress(NotFound):  # removed since the list was made
            states[name] = room.api.inspect_container(container["Id"])["State"]["Status"]
            ids[name] = container["Id"]
    networks = {n["Labels"]["com.docker.compose.network"]: n["Driver"] for n in room.api.networks(filters=own)}
    listed = room.api.volumes(filters=own)["Volumes"] or []
    volumes = {v["Labels"]["com.docker.compose.volume"]: v["Driver"] for v in listed}
    return Inventory(states, ids, networks, volumes)


def containers(room: Room, project: str, service: str) -> list[str]:
    """Return the ids of a service's containers, running or not, in the order of their numbers."""
    own = {"label": [f"{PROJECT}={project}", f"{SERVICE}={service}"]}
    found = room.api.containers(all=True, filters=own)
    return [str(c["Id"]) for c in sorted(found, key=lambda c: int(c["Labels"].get(NUMBER, "1")))]


def effect(room: Room, project: str, *words: str, folder: Path | None = None, timeout_s: float = 300) -> Effect:
    """Run `docker compose -p PROJECT WORDS…` in `folder` and return what it changed.

    Raises CommandFailed with Compose's own words when it fails.
    """
    before = inventory(room, project)
    done = room.cli("compose", "-p", project, *words, cwd=folder, timeout_s=timeout_s)
    return Effect(f"docker compose {' '.join(words)}", before, inventory(room, project), done.stdout)
