"""When each service of a project was created, started and healthy, from the engine's own events.

Source: Engine API, `GET /events` (`timeNano`); the Compose specification, `depends_on`.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.topics.compose import PROJECT, SERVICE

__all__ = ["ServiceTimes", "Timeline", "up"]

DEPENDS_ON = "com.docker.compose.depends_on"
"""The label on a container with what its service waits for."""


@dataclass(frozen=True, slots=True)
class ServiceTimes:
    """The moments of one service's container, in seconds after the first event of the project."""

    service: str
    created_s: float
    started_s: float | None
    healthy_s: float | None
    """None for a service without a health check, or one that never turned healthy."""
    waits_for: tuple[str, ...] = ()
    """The services that it names in `depends_on`."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """A project coming up."""

    services: tuple[ServiceTimes, ...]
    """In the order in which they were started."""

    def service(self, name: str) -> ServiceTimes:
        """Return the moments of one service."""
        return next(times for times in self.services if times.service == name)

    def to_frame(self) -> pd.DataFrame:
        """Return one line per service, in seconds."""
        return pd.DataFrame(
            [(t.service, t.created_s, t.started_s, t.healthy_s, ", ".join(t.waits_for)) for t in self.services],
            columns=["service", "created_s", "started_s", "healthy_s", "waits_for"],
        )


def up(room: Room, project: str, *options: str, folder: Path | None = None, timeout_s: float = 300) -> Timeline:
    """Run `docker compose up -d --wait OPTIONS…` and return when each service got where.

    `--wait` makes Compose return when everything runs and is healthy. Raises CommandFailed when it does not.
    """
    own = {"label": f"{PROJECT}={project}", "type": "container"}
    began = _engine_time(room)
    room.cli("compose", "-p", project, "up", "-d", "--wait", *options, cwd=folder, timeout_s=timeout_s)
    # The engine keeps its latest events, so they can be asked for afterwards, by its own clock.
    events: Any = room.api.events  # its stubs know whole seconds only; the API takes fractions
    return from_events(list(events(since=began, until=_engine_time(room), decode=True, filters=own)))


def _engine_time(room: Room) -> str:
    return str(datetime.fromisoformat(room.api.info()["SystemTime"]).timestamp())


def from_events(events: list[dict[str, object]]) -> Timeline:
    """Read the moments out of a list of the engine's container events."""
    moments: dict[str, dict[str, float]] = {}
    awaited: dict[str, tuple[str, ...]] = {}
    for event in events:
        action = str(event["Action"])
        attributes = event["Actor"]["Attributes"]  # type: ignore[index]  # plain JSON
        first = moments.setdefault(attributes[SERVICE], {})
        first.setdefault(action, float(str(event["timeNano"])) / 1e9)
        # Compose writes `SERVICE:CONDITION:RESTART`, with commas in between.
        named = [part.partition(":")[0] for part in attributes.get(DEPENDS_ON, "").split(",") if part]
        awaited[attributes[SERVICE]] = tuple(sorted(named))
    start = min((min(times.values()) for times in moments.values()), default=0.0)

    def after(times: dict[str, float], action: str) -> float | None:
        return times[action] - start if action in times else None

    services = [
        ServiceTimes(
            name, after(t, "create") or 0.0, after(t, "start"), after(t, "health_status: healthy"), awaited[name]
        )
        for name, t in moments.items()
    ]
    return Timeline(tuple(sorted(services, key=lambda times: times.started_s or float("inf"))))
