"""The third specification: how an image travels. A registry on this engine, asked in plain HTTP.

Source: OCI distribution-spec ("Pulling manifests", "Pulling blobs", "Content discovery").
"""

import hashlib
import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.errors import CommandFailed
from docker_tutor.i18n import _

__all__ = ["Answer", "Pull", "pull_by_hand", "registry"]

REGISTRY = "registry:2"
PORT = 5000
MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
TIME_LIMIT_S = 30


@dataclass(frozen=True, slots=True)
class Answer:
    """One request to the registry and its answer."""

    path: str
    status: int
    media_type: str
    size_bytes: int
    digest: str
    """The name by which it was asked for or announced; empty where there is none."""
    recomputed: str
    """The SHA-256 of the bytes that came."""


@dataclass(frozen=True, slots=True)
class Pull:
    """An image fetched by hand."""

    image: str
    image_id: str
    """The engine's name for it."""
    answers: tuple[Answer, ...]

    @property
    def true(self) -> bool:
        """Whether everything that has a digest for its name is what the name says."""
        return all(answer.digest == answer.recomputed for answer in self.answers if answer.digest)

    @property
    def blobs(self) -> tuple[Answer, ...]:
        """The config and the layers."""
        return tuple(answer for answer in self.answers if "/blobs/" in answer.path)

    def to_frame(self) -> pd.DataFrame:
        """Return one line per request; digests are shortened, and `application/` goes without saying."""
        rows = [
            (
                _shortened(a.path),
                a.status,
                a.media_type.removeprefix("application/"),
                a.size_bytes,
                a.recomputed.removeprefix("sha256:")[:12],
            )
            for a in self.answers
        ]
        return pd.DataFrame(rows, columns=["GET", "status", "media type", "size_bytes", "sha256 of what came"])


@contextmanager
def registry(room: Room) -> Iterator[int]:
    """Keep a registry running for a `with` block; yields its port on 127.0.0.1."""
    name = room.unique("registry")
    port = _free_port()
    room.cli("run", "-d", "--name", name, "-p", f"127.0.0.1:{port}:{PORT}", REGISTRY)
    try:
        room.wait.log(name, "listening on")
        room.wait.port(port)
        yield port
    finally:
        room.cli("rm", "-f", "-v", name)


def pull_by_hand(room: Room, image: str = "alpine:3.19") -> Pull:
    """Push `image` to a registry of its own, then fetch it with GET requests alone and recompute every digest.

    Raises CommandFailed when the registry answers otherwise than the specification says.
    """
    repository = image.partition(":")[0]
    with registry(room) as port:
        pushed = f"127.0.0.1:{port}/{repository}:by-hand"
        room.cli("tag", image, pushed)
        try:
            room.cli("push", "--quiet", pushed)
        finally:
            room.cli("rmi", pushed)
        answers = tuple(_fetch(port, repository))
    return Pull(image, str(room.api.inspect_image(image)["Id"]), answers)


def _fetch(port: int, repository: str) -> Iterator[Answer]:
    yield _get(port, "/v2/")[0]
    yield _get(port, f"/v2/{repository}/tags/list")[0]
    answer, data = _get(port, f"/v2/{repository}/manifests/by-hand")
    yield answer
    while "manifests" in (document := json.loads(data)):
        answer, data = _get(port, f"/v2/{repository}/manifests/{document['manifests'][0]['digest']}")
        yield answer
    for part in (document["config"], *document["layers"]):
        yield _get(port, f"/v2/{repository}/blobs/{part['digest']}", part)[0]


def _get(port: int, path: str, part: dict[str, Any] | None = None) -> tuple[Answer, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIME_LIMIT_S)
    try:
        connection.request("GET", path, headers={"Accept": ", ".join(MANIFESTS)})
        answer = connection.getresponse()
        data = answer.read()
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise CommandFailed(_("GET {path} was answered with {status}.").format(path=path, status=answer.status))
    media_type = str(part["mediaType"]) if part else str(answer.headers["Content-Type"])
    digest = str(part["digest"]) if part else str(answer.headers.get("Docker-Content-Digest", ""))
    recomputed = "sha256:" + hashlib.sha256(data).hexdigest()
    return Answer(path, answer.status, media_type, len(data), digest, recomputed), data


def _free_port() -> int:
    # Free on this machine, that is: an engine in a network of its own would choose one that is only free there.
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def _shortened(path: str) -> str:
    start, colon, digest = path.partition("sha256:")
    return f"{start}{colon}{digest[:12]}…" if colon else path
