"""What a restart policy makes of the ways in which a container's main process can end.

Sources: Docker's documentation, "Start containers automatically" (a container that was stopped by hand is left
alone); `man 7 pid_namespaces` (from inside, PID 1 gets only the signals that it handles).
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _
from docker_tutor.topics import probes

__all__ = ["EXITS", "FROM_INSIDE", "FROM_OUTSIDE", "KILLED", "WAYS", "Comparison", "Hit", "compare", "hit"]

KILLED = "docker kill"
FROM_INSIDE = "kill -9 1, from inside"
FROM_OUTSIDE = "kill -9 of its PID, from outside"
EXITS = "the program exits by itself"
WAYS = (KILLED, FROM_INSIDE, FROM_OUTSIDE, EXITS)
_PROGRAM = (
    "import signal, sys; signal.signal(signal.SIGUSR1, lambda *_: sys.exit(3)); [signal.pause() for _ in iter(int, 1)]"
)
_KILL = "import os, sys; os.kill(int(sys.argv[1]), 9); print('true')"
_WATCH_S = 3.0
_LATEST_S = 60.0
"""For a container that the engine itself calls `restarting`: on a busy machine a start takes longer than the watch."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One container, one way to end it, and what followed within three seconds, or until it had been restarted."""

    way: str
    died: bool
    exit_code: int | None
    restarted: bool
    restart_s: float | None
    """From its death to its new start."""
    state: str
    """Of the container at the end: `running`, `exited`."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same container under the same policy, ended in every way."""

    policy: str
    hits: tuple[Hit, ...]

    def by(self, way: str) -> Hit:
        """Return what followed one way."""
        return next(each for each in self.hits if each.way == way)

    def to_frame(self) -> pd.DataFrame:
        """Return one line per way; durations in milliseconds."""
        rows = [
            (
                each.way,
                _("yes") if each.died else _("no"),
                "—" if each.exit_code is None else str(each.exit_code),
                _("yes, after {ms:.0f} ms").format(ms=each.restart_s * 1e3) if each.restart_s is not None else _("no"),
                each.state,
            )
            for each in self.hits
        ]
        return pd.DataFrame(rows, columns=[_("what happens"), _("it died"), _("exit code"), _("restarted"), _("then")])


def compare(room: Room, policy: str = "unless-stopped") -> Comparison:
    """End four containers that run under `policy`, each in another way, and see which come back."""
    with ExitStack() as stack:
        names = {
            way: stack.enter_context(
                probes.running(
                    room,
                    f"policy-{number}",
                    *("--restart", policy, "--network", "none"),
                    command=("python", "-c", _PROGRAM),
                )
            )
            for number, way in enumerate(WAYS)
        }
        return Comparison(policy, _end(room, names))


def hit(room: Room, container: str, way: str) -> Hit:
    """End the main process of one running container in one way, and see what follows."""
    return _end(room, {way: container})[0]


def _end(room: Room, names: dict[str, str]) -> tuple[Hit, ...]:
    acts: dict[str, Callable[[str], object]] = {
        KILLED: lambda name: room.cli("kill", name),
        FROM_INSIDE: lambda name: room.cli("exec", name, "sh", "-c", "kill -9 1", check=False),
        FROM_OUTSIDE: lambda name: probes.outside(room, _KILL, str(probes.pid_outside(room, name))),
        EXITS: lambda name: room.cli("exec", name, "sh", "-c", "kill -USR1 1", check=False),
    }
    ids = {way: str(room.api.inspect_container(name)["Id"]) for way, name in names.items()}
    began = time.time()
    for way, name in names.items():
        acts[way](name)
    seen = _watch(room, list(ids.values()), began)
    return tuple(_what_followed(room, way, ids[way], seen) for way in names)


def _watch(room: Room, ids: list[str], began: float) -> list[dict[str, Any]]:
    """Return the events since `began`, once the watch is over and the engine is not about to start one again."""
    events: Any = room.api.events  # its stubs know whole seconds only; the API takes fractions
    wanted = {"container": ids, "event": ["die", "start"]}

    def until(moment: float) -> list[dict[str, Any]]:
        return list(events(since=f"{began:.6f}", until=f"{moment:.6f}", decode=True, filters=wanted))

    latest = time.time() + _LATEST_S
    states = {"restarting"}
    while "restarting" in states and time.time() < latest:
        # That nothing comes can only be seen by waiting: the engine itself ends this stream when the time has come.
        until(time.time() + _WATCH_S)
        states = {str(room.api.inspect_container(each)["State"]["Status"]) for each in ids}
    return until(time.time())  # with the start that came just before the last look


def _what_followed(room: Room, way: str, container_id: str, seen: list[dict[str, Any]]) -> Hit:
    own = [event for event in seen if event["Actor"]["ID"] == container_id]
    died = next((event for event in own if event["Action"] == "die"), None)
    again = next((e for e in own if died and e["Action"] == "start" and e["timeNano"] >= died["timeNano"]), None)
    took = (again["timeNano"] - died["timeNano"]) / 1e9 if died and again else None
    code = int(died["Actor"]["Attributes"]["exitCode"]) if died else None
    state = str(room.api.inspect_container(container_id)["State"]["Status"])
    return Hit(way, died is not None, code, again is not None, took, state)
