"""Pulling an image from a registry, without waiting twice for one that does not answer.

The engine pulls, not we: only it knows its mirrors and proxies. It may take a minute to find out that a name
server does not answer, so that the *first* sign of life has a time limit of its own; after it, only silence has one.
"""

import os
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from docker import DockerClient
from docker.errors import APIError, DockerException

from docker_tutor.i18n import _
from docker_tutor.images.memory import DeadRegistries
from docker_tutor.images.reference import HUB, Reference
from docker_tutor.progress import Report, Step

__all__ = ["Pulled", "RegistryProblem", "pull", "registry_of"]

CONNECT_S = 12.0
"""How long a registry may take until its first answer."""
SILENCE_S = 90.0
"""How long a pull under way may show nothing."""

SETTING = "DOCKER_TUTOR_REGISTRY"
"""A registry or mirror to ask instead of each image's own (`mirror.example/hub`), or `none` to ask no registry."""

_DEAD = (
    "no such host", "server misbehaving", "name resolution", "lookup ", "connection refused", "connection reset",
    "network is unreachable", "no route to host", "i/o timeout", "tls handshake", "x509", "deadline exceeded",
    "client.timeout", "request canceled", "toomanyrequests", "429 too many", "rate limit", "500 internal",
    "502 bad gateway", "503 service", "504 gateway", "proxyconnect", ": eof", "http response to https",
)  # fmt: skip
_LIMITED = ("toomanyrequests", "429 too many", "rate limit")


@dataclass(frozen=True, slots=True)
class RegistryProblem:
    """Why a registry did not give an image."""

    kind: Literal["dead", "missing", "off"]
    """`dead`: the registry does not serve us at all; `missing`: it answers, and has no such image; `off`: not asked."""
    host: str
    reason: str
    """A clause for the reader: “does not answer”, “has no such image”."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """An image that came from a registry, still under the name it was pulled by."""

    pulled_as: str


def registry_of(reference: Reference) -> tuple[str, list[str]]:
    """Return the registry to ask for `reference`, and the names to ask for, the most likely first.

    A registry set by `DOCKER_TUTOR_REGISTRY` may be a copy of a class's own (`nginx`) or a mirror of
    Docker Hub (`library/nginx`): both are tried.
    """
    prefix = os.environ.get(SETTING, "").strip().removeprefix("https://").removeprefix("http://").rstrip("/")
    if not prefix:
        return reference.host, [str(reference)]
    if prefix.lower() in ("none", "off", "no"):
        return "", []
    paths = [reference.repository.replace(":", "-")]
    if reference.host == HUB and reference.path != paths[0]:
        paths.append(reference.path)
    return prefix.partition("/")[0], [f"{prefix}/{path}{reference.suffix}" for path in paths]


def pull(client: DockerClient, reference: Reference, report: Report, dead: DeadRegistries) -> Pulled | RegistryProblem:
    """Let the engine pull `reference`; a registry found dead is remembered in `dead` and not asked again."""
    host, names = registry_of(reference)
    if not names:
        return RegistryProblem("off", "", _("no registry is asked ({setting}=none)").format(setting=SETTING))
    if known := dead.reason(host):
        return RegistryProblem("dead", host, known)
    for name in names:
        complaint = _attempt(client, name, str(reference), report)
        if complaint is None:
            return Pulled(name)
        text = complaint.lower()
        if any(sign in text for sign in _DEAD):
            limited = any(sign in text for sign in _LIMITED)
            reason = _("has reached its pull limit") if limited else _("does not answer")
            dead.remember(host, reason)
            return RegistryProblem("dead", host, reason)
    return RegistryProblem("missing", host, _("has no such image, or does not show it to you"))


def _attempt(client: DockerClient, name: str, shown: str, report: Report) -> str | None:
    """Pull `name`; return None, or what the engine or the clock had against it."""
    reference = Reference.parse(name)
    repository = name.removesuffix(reference.suffix) if name.endswith(reference.suffix) else name
    task = _("Pulling {name}").format(name=shown)
    report(Step(task, 0, None, "bytes"))
    layers: dict[str, tuple[int, int]] = {}
    try:
        for event in _events(client, repository, reference.digest or reference.tag):
            if "error" in event:
                return str(event["error"])
            detail = event.get("progressDetail") or {}
            if event.get("status") == "Downloading" and detail.get("total"):
                layers[event["id"]] = (detail["current"], detail["total"])
                report(Step(task, sum(d for d, _t in layers.values()), sum(t for _d, t in layers.values()), "bytes"))
    except TimeoutError:
        return "i/o timeout"
    except (APIError, DockerException) as error:
        return str(error)
    total = sum(t for _d, t in layers.values())
    report(Step(task, total, total, "bytes"))
    return None


def _events(client: DockerClient, repository: str, tag: str) -> Iterator[dict[str, Any]]:
    """Yield the engine's own progress; raise TimeoutError when the first sign, or any later one, is too late."""
    inbox: queue.SimpleQueue[dict[str, Any] | BaseException | None] = queue.SimpleQueue()

    def read() -> None:
        try:
            for event in client.api.pull(repository, tag=tag, stream=True, decode=True):
                inbox.put(event)
            inbox.put(None)
        except BaseException as error:  # noqa: BLE001 - handed to the waiting thread, which raises it
            inbox.put(error)

    # A daemon thread: a pull that never answers must not keep the interpreter from leaving.
    threading.Thread(target=read, name=f"pull {repository}", daemon=True).start()
    limit = CONNECT_S
    while True:
        try:
            event = inbox.get(timeout=limit)
        except queue.Empty:
            raise TimeoutError from None
        if event is None:
            return
        if isinstance(event, BaseException):
            raise event
        limit = SILENCE_S
        yield event
