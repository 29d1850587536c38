"""What the command line says to the daemon, and the same said by the SDK and by hand.

Source: Engine API reference; RFC 9112 (HTTP/1.1); `man 7 unix`.
"""

import http.client
import json
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.errors import CommandFailed
from docker_tutor.gateway import Call
from docker_tutor.i18n import _

__all__ = ["Conversation", "Exchange", "ThreeWays", "Way", "by_hand", "listen", "three_ways"]

IMAGE = "alpine:3.19"
PROGRAM = ["sh", "-c", "echo $GREETING; exit 3"]
ENVIRONMENT = ["GREETING=hello from the container"]
STREAM_HEADER_BYTES = 8
"""Engine API, "Stream format": one byte for the stream, three zeros, four bytes of length."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request of a conversation, and how it ended."""

    method: str
    path: str
    """Without the API version and the query; ids shortened to `{id}`."""
    status: int
    start_s: float
    """Seconds after the conversation began."""
    duration_s: float
    upgraded: bool
    """Whether the connection was turned into a raw stream (HTTP status 101)."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What one command said to the daemon."""

    command: str
    exchanges: tuple[Exchange, ...]
    output: str

    def paths(self) -> tuple[str, ...]:
        """Return `METHOD /path` of every request in order."""
        return tuple(f"{exchange.method} {exchange.path}" for exchange in self.exchanges)

    def to_frame(self) -> pd.DataFrame:
        """Return one line per request, times in milliseconds."""
        rows = [
            (
                e.method,
                e.path,
                e.status,
                round(e.start_s * 1e3, 1),
                round(e.duration_s * 1e3, 1),
                "yes" if e.upgraded else "",
            )
            for e in self.exchanges
        ]
        return pd.DataFrame(rows, columns=["method", "path", "status", "start_ms", "duration_ms", "upgraded"])


@dataclass(frozen=True, slots=True)
class Way:
    """One way to run the same container, and what came of it."""

    name: str
    output: str
    exit_code: int
    image: str
    command: tuple[str, ...]
    environment: tuple[str, ...]
    """What we asked for, without what the image brings."""
    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ThreeWays:
    """The command line, the SDK and hand-written HTTP."""

    ways: tuple[Way, ...]

    @property
    def same(self) -> bool:
        """Whether the three made the same container with the same result."""
        return len({(w.output, w.exit_code, w.image, w.command, w.environment) for w in self.ways}) == 1

    def to_frame(self) -> pd.DataFrame:
        """Return one line per way."""
        rows = [(w.name, w.output, w.exit_code, w.requests, round(w.seconds * 1e3)) for w in self.ways]
        return pd.DataFrame(rows, columns=["way", "output", "exit code", "requests", "ms"])


def listen(room: Room, *words: str) -> Conversation:
    """Run `docker WORDS…` and return what it asked of the daemon, from the gateway's record."""
    before = len(room.calls())
    began = time.time()
    done = room.cli(*words, check=False)
    calls = room.calls()[before:]
    return Conversation(f"docker {' '.join(words)}", tuple(_exchange(call, began) for call in calls), done.stdout)


def _exchange(call: Call, began_s: float) -> Exchange:
    path = re.sub(r"^/v[\d.]+(?=/)", "", call.path).partition("?")[0]
    path = re.sub(r"[0-9a-f]{64}", "{id}", path)
    return Exchange(call.method, path, call.status, call.started_s - began_s, call.duration_s, call.upgraded)


def three_ways(room: Room) -> ThreeWays:
    """Run the same container by the command line, by the SDK and by HTTP written by hand; compare what came of it."""
    ways: dict[str, Callable[[Room, str], tuple[str, int]]] = {
        "docker run": _by_command_line,
        "docker.containers.run": _by_sdk,
        "HTTP by hand": by_hand,
    }
    return ThreeWays(tuple(_way(room, name, run) for name, run in ways.items()))


def _way(room: Room, name: str, run: Callable[[Room, str], tuple[str, int]]) -> Way:
    container = room.unique("three-ways")
    before = len(room.calls())
    began = time.perf_counter()
    try:
        output, exit_code = run(room, container)
        seconds = time.perf_counter() - began
        requests = len(room.calls()) - before
        found = room.api.inspect_container(container)["Config"]
    finally:
        room.cli("rm", "-f", container)
    asked = tuple(word for word in found["Env"] if word in ENVIRONMENT)
    return Way(name, output, exit_code, found["Image"], tuple(found["Cmd"]), asked, requests, seconds)


def _by_command_line(room: Room, name: str) -> tuple[str, int]:
    options = ["--name", name, "--network", "none", "--env", *ENVIRONMENT]
    done = room.cli("run", *options, IMAGE, *PROGRAM, check=False)
    return done.stdout.strip(), done.returncode


def _by_sdk(room: Room, name: str) -> tuple[str, int]:
    container = room.client.containers.run(
        IMAGE, PROGRAM, name=name, environment=ENVIRONMENT, network_mode="none", detach=True
    )
    exit_code = int(container.wait()["StatusCode"])
    return container.logs().decode().strip(), exit_code


def by_hand(room: Room, name: str) -> tuple[str, int]:
    """Say it in HTTP over the Unix socket, with nothing but the standard library: create, start, wait, logs.

    Raises CommandFailed with the daemon's own message when it refuses.
    """
    connection = _UnixConnection(room.address.removeprefix("unix://"))
    body = {"Image": IMAGE, "Cmd": PROGRAM, "Env": ENVIRONMENT, "HostConfig": {"NetworkMode": "none"}}
    try:
        created = _say(connection, "POST", f"/containers/create?name={name}", body)
        container = json.loads(created)["Id"]
        _say(connection, "POST", f"/containers/{container}/start")
        waited = json.loads(_say(connection, "POST", f"/containers/{container}/wait"))
        framed = _say(connection, "GET", f"/containers/{container}/logs?stdout=1")
    finally:
        connection.close()
    return _unframed(framed).decode().strip(), int(waited["StatusCode"])


class _UnixConnection(http.client.HTTPConnection):
    """An HTTP connection whose other end is a Unix socket instead of a host and a port."""

    def __init__(self, path: str) -> None:
        super().__init__("docker")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self._path)


def _say(connection: _UnixConnection, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
    data = None if body is None else json.dumps(body)
    connection.request(method, path, data, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status >= http.HTTPStatus.BAD_REQUEST:
        said = json.loads(content)["message"]
        raise CommandFailed(_("{method} {path} was refused: {said}").format(method=method, path=path, said=said))
    return content


def _unframed(data: bytes) -> bytes:
    """Take the eight-byte headers out of a log that was not written to a terminal."""
    text, at = b"", 0
    while at < len(data):
        length = int.from_bytes(data[at + 4 : at + STREAM_HEADER_BYTES], "big")
        at += STREAM_HEADER_BYTES
        text += data[at : at + length]
        at += length
    return text
