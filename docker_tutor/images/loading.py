"""Handing an image archive to the engine, with its progress shown."""

import json
from collections.abc import Iterable, Iterator

from docker import DockerClient
from docker.errors import APIError

from docker_tutor.errors import DiskFull, RecipeFailed
from docker_tutor.i18n import _
from docker_tutor.progress import Report, Step

__all__ = ["load", "refusal"]

ANSWERS_WITHIN_S = 900
"""The engine answers when all is unpacked, and one whose processor is emulated takes minutes."""


def load(client: DockerClient, archive: Iterable[bytes], shown: str, report: Report) -> list[str]:
    """Load `archive`, shown to the reader as `shown`; return the names that the engine says it loaded.

    Raises DiskFull or RecipeFailed.
    """
    task = _("Loading {name}").format(name=shown)
    loaded: list[str] = []
    usual_s, client.api.timeout = client.api.timeout, ANSWERS_WITHIN_S
    try:
        for line in client.api.load_image(_counted(archive, task, report), quiet=True):
            said = line if isinstance(line, dict) else json.loads(line)
            if "error" in said:
                raise refusal(shown, str(said["error"]))
            if name := str(said.get("stream", "")).removeprefix("Loaded image:").strip():
                loaded.append(name)
    except APIError as error:
        raise refusal(shown, str(error)) from error
    finally:
        client.api.timeout = usual_s
    return loaded


def _counted(archive: Iterable[bytes], task: str, report: Report) -> Iterator[bytes]:
    sent = 0
    for chunk in archive:
        yield chunk
        sent += len(chunk)
        report(Step(task, sent, None, "bytes"))
    report(Step(task, sent, sent, "bytes"))


def refusal(shown: str, said: str) -> DiskFull | RecipeFailed:
    """Return the error that says what the engine has against the image `shown`."""
    if "no space left" in said.lower():
        return DiskFull(_("The disk is full: make room for the image {name} and try again.").format(name=shown))
    return RecipeFailed(_("The engine does not take the image {name}: {said}").format(name=shown, said=said))
