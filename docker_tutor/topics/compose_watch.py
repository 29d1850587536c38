"""`docker compose watch`: a file edited outside, and the moment at which the running container has it.

Source: the Compose specification, `develop.watch` (`sync` copies, `rebuild` builds anew).
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from docker_tutor.classroom.room import Room
from docker_tutor.errors import CommandFailed, WaitTimedOut
from docker_tutor.i18n import _
from docker_tutor.topics.compose import containers

__all__ = ["Synced", "edit"]

_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Synced:
    """One edit under watch."""

    before: str
    after: str
    """The file's content inside the container, before and after."""
    seconds: float
    """From the edit to the new content inside."""
    same_container: bool
    said: tuple[str, ...]
    """What `watch` wrote."""


def edit(room: Room, project: str, service: str, file: Path, inside: str, text: str, *, within_s: float = 30) -> Synced:
    """Watch a project (its folder is `file`'s), write `text` to `file` and wait until `inside` holds it.

    Raises WaitTimedOut when it does not within `within_s` seconds, CommandFailed when `watch` ends by itself.
    """
    container = containers(room, project, service)[0]

    def content() -> str:
        return room.cli("exec", container, "cat", inside).stdout

    before = content()
    with _watching(project, file.parent, within_s) as said:
        began = time.monotonic()
        file.write_text(text, encoding="utf-8")
        while (after := content()) != text:
            if time.monotonic() - began > within_s:
                message = _("`docker compose watch` did not copy {file} within {seconds:g} s. It wrote:\n{said}")
                raise WaitTimedOut(message.format(file=file.name, seconds=within_s, said="\n".join(said)))
            time.sleep(_LOOK_S)  # polling: a file that changes inside a container is announced to nobody outside
        seconds = time.monotonic() - began
    return Synced(before, after, seconds, containers(room, project, service) == [container], tuple(said))


@contextmanager
def _watching(project: str, folder: Path, within_s: float) -> Iterator[list[str]]:
    """Keep `docker compose watch` running for a `with` block; yields the list that its lines are added to."""
    words = ["docker", "compose", "-p", project, "watch", "--no-up"]
    said: list[str] = []
    ready = threading.Event()
    with subprocess.Popen(
        words, cwd=folder, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as watch:

        def read() -> None:
            for line in watch.stdout or ():
                said.append(line.rstrip())
                if "atch" in line:
                    ready.set()
            ready.set()  # it has ended, and nobody should wait for it

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            if not ready.wait(within_s) or watch.poll() is not None:
                raise CommandFailed(_("`docker compose watch` does not watch:\n{said}").format(said="\n".join(said)))
            yield said
        finally:
            watch.send_signal(signal.SIGINT)
            watch.wait(timeout=within_s)
            reader.join(timeout=within_s)
