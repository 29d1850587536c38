"""Small programs run inside a container, or outside where the engine's own processes are visible."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from docker_tutor.classroom.room import Room
from docker_tutor.errors import CommandFailed
from docker_tutor.i18n import _

__all__ = ["IMAGE", "ask", "inside", "outside", "pid_outside", "running"]

IMAGE = "python:3.11-slim"
"""What the topics run inside a container; anything with `python` in it would do."""

SEEING = ("--pid=host", "--cap-add=SYS_PTRACE", "--security-opt=apparmor=unconfined", "--network=none")
"""Reading another process's namespace links is governed by ptrace's rules, not by the file's owner."""


def inside(room: Room, source: str, *options: str, image: str = IMAGE, arguments: tuple[str, ...] = ()) -> Any:
    """Run a Python program in a container of its own and return what it prints, read as JSON.

    Source: `docker run`. Raises CommandFailed when the program fails.
    """
    return json.loads(room.cli("run", "--rm", "-i", *options, image, "python", "-", *arguments, stdin=source).stdout)


def ask(room: Room, name: str, source: str, *arguments: str) -> Any:
    """Run a Python program in a running container and return what it prints, read as JSON. Source: `docker exec`."""
    return json.loads(room.cli("exec", "-i", name, "python", "-", *arguments, stdin=source).stdout)


def outside(room: Room, source: str, *arguments: str) -> Any:
    """Run a Python program where the engine's processes are visible and return what it prints, read as JSON.

    That is this machine if they are here; else a container with `--pid=host`. Raises CommandFailed.
    """
    if not room.capabilities.host_processes:
        return inside(room, source, *SEEING, arguments=arguments)
    done = subprocess.run([sys.executable, "-c", source, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandFailed(_("Reading /proc failed: {why}").format(why=done.stderr.strip()))
    return json.loads(done.stdout)


def pid_outside(room: Room, name: str) -> int:
    """Return the number that a running container's PID 1 has outside. Raises CommandFailed when it does not run."""
    pid = int(room.api.inspect_container(name)["State"]["Pid"])
    if not pid:
        raise CommandFailed(_("Container {name} is not running.").format(name=name))
    return pid


@contextmanager
def running(
    room: Room, name: str, *options: str, image: str = IMAGE, command: tuple[str, ...] = ("sleep", "3600")
) -> Iterator[str]:
    """Keep a container running for a `with` block; yields its name. It sleeps unless told what to do.

    Source: `docker run -d`, `docker rm -f -v`. Raises CommandFailed.
    """
    unique = room.unique(name)
    room.cli("run", "-d", "--name", unique, *options, image, *command)
    try:
        yield unique
    finally:
        room.cli("rm", "-f", "-v", unique)
