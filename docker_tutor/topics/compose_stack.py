"""A stack of services at work: who answers, from the cache or the database, and under which limits.

Sources: Redis' `INFO stats` (`keyspace_hits`); the Compose specification, `deploy.resources`.
"""

import json
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.errors import WaitTimedOut
from docker_tutor.i18n import _
from docker_tutor.topics import _cgroupfs
from docker_tutor.topics.cgroups_observer import look
from docker_tutor.topics.compose import Effect, containers, effect

__all__ = [
    "Answer",
    "Answers",
    "CacheStory",
    "Resources",
    "Step",
    "Walk",
    "ready",
    "request",
    "resources",
    "rows",
    "through_cache",
    "walk",
    "who_answers",
]

_LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the API."""

    status: int
    served_by: str
    """Host name of the container that answered: by default its id's first 12 characters."""
    cache: str
    """What the API says in `X-Cache`: HIT, MISS, OFF, or `-` where no item was asked for."""
    content: Any
    seconds: float


@dataclass(frozen=True, slots=True)
class Step:
    """One request, and what the two stores behind the API counted afterwards."""

    request: str
    answer: Answer
    rows: int
    """In PostgreSQL's table."""
    hits: int
    """Redis' `keyspace_hits` since it was started."""
    misses: int
    """Redis' `keyspace_misses`, likewise."""


@dataclass(frozen=True, slots=True)
class CacheStory:
    """One item written and read twice."""

    steps: tuple[Step, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one line per request."""
        return pd.DataFrame(
            [
                (s.request, s.answer.status, s.answer.cache, round(s.answer.seconds * 1e3, 1), s.rows, s.hits, s.misses)
                for s in self.steps
            ],
            columns=["request", "status", "X-Cache", "ms", "rows in PostgreSQL", "Redis hits", "Redis misses"],
        )


@dataclass(frozen=True, slots=True)
class Answers:
    """Many requests to one address, counted by the container that answered."""

    by_container: dict[str, int]

    @property
    def containers(self) -> int:
        """How many different containers answered."""
        return len(self.by_container)

    def to_frame(self) -> pd.DataFrame:
        """Return one line per container."""
        return pd.DataFrame(sorted(self.by_container.items()), columns=["container", "answers"])


@dataclass(frozen=True, slots=True)
class Walk:
    """A row of commands, what each changed, and how many rows the database held after it."""

    effects: tuple[Effect, ...]
    rows: tuple[int | None, ...]
    """After each command; None where no database runs."""

    def to_frame(self) -> pd.DataFrame:
        """Return one line per command."""
        lines = [
            (
                effect.command,
                len(effect.after.containers),
                len(effect.after.networks),
                len(effect.after.volumes),
                "—" if count is None else str(count),
            )
            for effect, count in zip(self.effects, self.rows, strict=True)
        ]
        return pd.DataFrame(lines, columns=["after", "containers", "networks", "volumes", "rows in PostgreSQL"])


@dataclass(frozen=True, slots=True)
class Resources:
    """What a service's file asked for, what Compose handed on, and what its control group holds. Bytes and CPUs."""

    rows: tuple[tuple[str, float | None, float | None, float | None], ...]
    """(key, in the file, in the engine's API, in the control group)."""

    def kernel(self, key: str) -> float | None:
        """Return what the control group holds for one key; None where it holds nothing."""
        return next(row[3] for row in self.rows if row[0] == key)

    def to_frame(self) -> pd.DataFrame:
        """Return one line per key."""
        columns = ["key", "in the file", "in the engine's API", "in the control group"]
        shown = [[row[0], *("—" if value is None else f"{value:g}" for value in row[1:])] for row in self.rows]
        return pd.DataFrame(shown, columns=columns)


def request(url: str, content: Any = None, *, method: str = "", within_s: float = 20) -> Answer:
    """Ask the API: GET, or POST when there is `content` (sent as JSON). Errors of HTTP are answers too."""
    data = None if content is None else json.dumps(content).encode()
    kind = {"Content-Type": "application/json"} if data else {}
    asked = Request(url, data, kind, method=method or ("POST" if data else "GET"))  # noqa: S310 - an address of the course's own
    began = time.monotonic()
    try:
        with urlopen(asked, timeout=within_s) as response:  # noqa: S310 - the same
            status, headers, body = response.status, response.headers, response.read()
    except HTTPError as refused:
        status, headers, body = refused.code, refused.headers, refused.read()
    seconds = time.monotonic() - began
    plain = headers.get_content_type() != "application/json"
    read = body.decode(errors="replace") if plain else json.loads(body)
    return Answer(status, headers.get("X-Served-By", ""), headers.get("X-Cache", "-"), read, seconds)


def ready(url: str, *, within_s: float = 30) -> Answer:
    """Ask `url` until it answers with status 200, and return that answer. Raises WaitTimedOut.

    A published port takes connections before the program behind it listens, and a proxy answers 502 meanwhile.
    """
    deadline = time.monotonic() + within_s
    while True:
        with suppress(OSError, HTTPException):  # refused or cut off: not yet
            answer = request(url)
            if answer.status == HTTPStatus.OK:
                return answer
        if time.monotonic() > deadline:
            message = _("{url} did not answer with status 200 within {seconds:g} s; see `docker compose logs`.")
            raise WaitTimedOut(message.format(url=url, seconds=within_s))
        time.sleep(_LOOK_S)  # polling: nobody announces that a server listens


def through_cache(room: Room, project: str, url: str, name: str = "a table") -> CacheStory:
    """Write one item through the API at `url`, read it twice, and count rows and hits after each request."""
    redis = containers(room, project, "redis")[0]

    def step(words: str, answer: Answer) -> Step:
        info = room.cli("exec", redis, "redis-cli", "info", "stats").stdout.split()
        stats = dict(line.split(":", 1) for line in info if ":" in line)
        return Step(words, answer, rows(room, project), int(stats["keyspace_hits"]), int(stats["keyspace_misses"]))

    written = step("POST /items", request(f"{url}/items", {"name": name}))
    path = f"/items/{written.answer.content['id']}"
    # A virtual machine for Java that has just started may take longer to find Redis than it waits for it.
    reads = [step(f"GET {path}", ready(url + path)) for _time in range(2)]
    return CacheStory((written, *reads))


def rows(room: Room, project: str) -> int:
    """Count the rows of the stack's table, with the database's own client inside its container."""
    postgres, count = containers(room, project, "postgres")[0], "SELECT count(*) FROM item"
    return int(room.cli("exec", postgres, "psql", "-XqAt", "-U", "appuser", "-d", "appdb", "-c", count).stdout)


def walk(room: Room, project: str, folder: Path, commands: Sequence[str]) -> Walk:
    """Run one `docker compose …` after the other and note what each changes, and the rows that are left.

    Raises CommandFailed with Compose's own words when one fails.
    """
    effects, held = [], []
    for command in commands:
        effects.append(effect(room, project, *command.removeprefix("docker compose ").split(), folder=folder))
        runs = effects[-1].after.containers.get("postgres-1") == "running"
        held.append(rows(room, project) if runs else None)
    return Walk(tuple(effects), tuple(held))


def who_answers(url: str, requests: int = 30) -> Answers:
    """Send `requests` requests to `url`, one after the other, and count the containers that answered."""
    return Answers(dict(Counter(request(url).served_by for _number in range(requests))))


def resources(room: Room, container: str, asked: dict[str, Any]) -> Resources:
    """Read a running container's limits and reservations back; `asked` is the model's `deploy.resources`."""
    limits, reserved = asked.get("limits", {}), asked.get("reservations", {})
    found = room.client.containers.get(container)
    api: dict[str, Any] = found.attrs["HostConfig"]
    names = ("memory.limit", "memory.reservation", "cpu.quota", "cpu.period", "cpu.weight")
    version, files = look(room, found, names)
    held = {name: _cgroupfs.number(name, files[name][1]) for name in names if name in files}
    quota, period = held.get("cpu.quota"), held.get("cpu.period") or 100_000
    usual = 1024 if version == 1 else 100
    weight = held.get("cpu.weight")

    def number(value: Any) -> float | None:
        return None if value in (None, "", 0) else float(value)

    return Resources(
        (
            ("limits.memory", number(limits.get("memory")), number(api["Memory"]), number(held.get("memory.limit"))),
            ("limits.cpus", number(limits.get("cpus")), _cpus(api), None if quota is None else quota / period),
            (
                "reservations.memory",
                number(reserved.get("memory")),
                number(api["MemoryReservation"]),
                number(held.get("memory.reservation")),
            ),
            # The only thing in the kernel that could hold it is the weight: as it was, nothing was reserved.
            (
                "reservations.cpus",
                number(reserved.get("cpus")),
                number(api["CpuShares"]),
                None if weight == usual else number(weight),
            ),
        )
    )


def _cpus(api: dict[str, Any]) -> float | None:
    return api["NanoCpus"] / 1e9 if api["NanoCpus"] else None
