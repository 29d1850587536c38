"""What a HEALTHCHECK reports over the life of a container: starting, healthy, unhealthy.

Sources: Dockerfile reference, HEALTHCHECK; Engine API, `State.Health.Log` (the last five probes).
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from docker.models.containers import Container

from docker_tutor.classroom.conditions import ContainerState
from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _

__all__ = ["HealthTimeline", "Probe", "follow", "through_sickness"]

NANOSECONDS = 10**9
SICK = "/tmp/sick"  # noqa: S108  (in the container)
SERVICE = """\
import http.server, pathlib
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if pathlib.Path("/tmp/sick").exists() else 200)
        self.end_headers()
    def log_message(self, *words):
        pass
http.server.ThreadingHTTPServer(("", 8080), Page).serve_forever()
"""
PROBE = "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/', timeout=1)"


@dataclass(frozen=True, slots=True)
class Probe:
    """One run of the health check."""

    start_s: float
    """Seconds after the container was started."""
    end_s: float
    exit_code: int
    """0 is healthy, 1 is unhealthy."""


@dataclass(frozen=True, slots=True)
class HealthTimeline:
    """A service that comes up, falls ill while it goes on running, and recovers."""

    interval_s: float
    retries: int
    states: tuple[tuple[float, str], ...]
    """(seconds after the start, state) for every change, `starting` first."""
    probes: tuple[Probe, ...]
    fell_ill_s: float
    cured_s: float
    end_s: float
    still_running: bool
    """Whether the container ran on while it was unhealthy."""

    def seconds_until_unhealthy(self) -> float:
        """Return the time from falling ill until the engine said so."""
        return next(at for at, state in self.states if state == "unhealthy") - self.fell_ill_s

    def to_frame(self) -> pd.DataFrame:
        """Return one line per state."""
        ends = [*(at for at, _state in self.states[1:]), self.end_s]
        rows = [(state, at, end) for (at, state), end in zip(self.states, ends, strict=True)]
        return pd.DataFrame(rows, columns=["state", "from_s", "to_s"])


@dataclass(frozen=True, slots=True)
class Unhealthy:
    """The condition that the engine calls a container unhealthy (see `docker_tutor.classroom.conditions`)."""

    @property
    def words(self) -> str:
        """What is awaited."""
        return _("be called unhealthy")

    def met(self, state: ContainerState) -> bool:
        """Return whether the last checks failed often enough."""
        return state.health == "unhealthy"

    def hopeless(self, state: ContainerState) -> bool:
        """Return whether it no longer runs, so that no check is made any more."""
        return state.status != "running"


def through_sickness(room: Room, interval_s: float = 0.5, retries: int = 3) -> HealthTimeline:
    """Run a small web service, make it answer 503 once it is healthy, and cure it when the engine has noticed."""
    container = room.client.containers.run(
        "python:3.11-slim",
        ["python", "-c", SERVICE],
        name=room.unique("patient"),
        detach=True,
        init=True,
        healthcheck={
            "test": ["CMD", "python", "-c", PROBE],
            "interval": int(interval_s * NANOSECONDS),
            "timeout": 2 * NANOSECONDS,
            "retries": retries,
        },
    )
    try:
        return follow(room, container, fall_ill=("touch", SICK), recover=("rm", SICK))
    finally:
        container.remove(force=True)


def follow(room: Room, container: Container, *, fall_ill: Sequence[str], recover: Sequence[str]) -> HealthTimeline:
    """Wait until a container is healthy, run `fall_ill` inside, then `recover` once the engine has noticed.

    Its health check has to have an interval and retries of its own. Raises WaitTimedOut when it does not get well.
    """
    identity = str(container.id)
    settings = room.api.inspect_container(identity)["Config"]["Healthcheck"]
    probes: dict[str, dict[str, Any]] = {}

    def remember() -> dict[str, Any]:
        state: dict[str, Any] = room.api.inspect_container(identity)["State"]
        probes.update({probe["Start"]: probe for probe in state["Health"]["Log"] or []})
        return state

    began = _timestamp(room.api.inspect_container(identity)["State"]["StartedAt"])
    room.wait.healthy(container, within_s=120)
    remember()
    container.exec_run(list(fall_ill))
    ill = time.time()
    room.wait.until(container, Unhealthy(), within_s=60)
    running = remember()["Running"]
    container.exec_run(list(recover))
    cured = time.time()
    room.wait.healthy(container, within_s=60)
    end = time.time()
    remember()
    changes = _changes(room, identity, began, end)
    runs = [Probe(_timestamp(p["Start"]) - began, _timestamp(p["End"]) - began, p["ExitCode"]) for p in probes.values()]
    return HealthTimeline(
        settings["Interval"] / NANOSECONDS,
        settings["Retries"],
        ((0.0, "starting"), *((at - began, state) for at, state in changes)),
        tuple(sorted(runs, key=lambda probe: probe.start_s)),
        ill - began,
        cured - began,
        end - began,
        running,
    )


def _timestamp(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _changes(room: Room, container_id: str, since: float, until: float) -> list[tuple[float, str]]:
    events: Any = room.api.events  # its stubs know whole seconds only; the API takes fractions
    own = {"container": container_id, "event": "health_status"}
    found = events(since=str(since - 1), until=str(until + 0.1), decode=True, filters=own)
    return [(event["timeNano"] / NANOSECONDS, event["Action"].split(": ")[1]) for event in found]
