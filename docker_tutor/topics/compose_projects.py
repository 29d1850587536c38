"""The projects of the chapter on Compose: their files laid out in the room, on ports that are free here."""

import os
import shutil
import socket
from pathlib import Path

from docker_tutor import paths
from docker_tutor.classroom.room import Room
from docker_tutor.errors import CourseError
from docker_tutor.i18n import _

__all__ = ["free_port", "lay_out"]

PORTS = {"APP_PORT": 8080, "API_PORT": 8080, "HTTP_PORT": 80, "HTTPS_PORT": 443, "DEBUG_PORT": 9229}
"""The variable in each project's `.env`, and the port that the text gives it."""
STANDS_ON = {"app": "api", "stack": "api", "spring": "stack"}
"""What is laid out under a project's own files: the API's source, or the files around it."""


def lay_out(room: Room, project: str, **variables: str) -> Path:
    """Copy one project's files into the room and write its `.env`; return the folder.

    `.env` holds a port for each that the project publishes, the usual one where it is free, one CPU for a limit of two
    where there is only one, and `variables`.
    Raises CourseError when the checkout lacks the files.
    """
    source = paths.checkout() / "notebooks" / "files" / "05-compose"
    if not (source / project).is_dir():
        raise CourseError(
            _("There is no folder {folder}: this checkout is incomplete.").format(folder=source / project)
        )
    target = room.folder / project
    shutil.rmtree(target, ignore_errors=True)  # a cell that is run again begins anew
    for layer in (STANDS_ON.get(project, project), project):
        shutil.copytree(source / layer, target, dirs_exist_ok=True)
    if (target / "dockerignore").exists():  # without its dot where it lies: copies of the course leave such files out
        (target / "dockerignore").rename(target / ".dockerignore")
    files = "".join(file.read_text(encoding="utf-8") for file in target.glob("*.yml"))
    ports = {name: str(free_port(usual)) for name, usual in PORTS.items() if f"${{{name}:-" in files}
    # Docker refuses a limit above what its machine has.
    own = {"CPUS": "1"} if "${CPUS:-" in files and room.capabilities.cpus < 2 else {}
    lines = [f"{name}={value}\n" for name, value in (ports | own | variables).items()]
    # Owner-only from the first byte: a password stands in it.
    with os.fdopen(os.open(target / ".env", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.writelines(lines)
    return target


def free_port(usual: int) -> int:
    """Return `usual` if nothing on this machine listens there and it may be taken, else a free one."""
    for port in (usual, 0):
        with socket.socket() as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                attempt.bind(("", port))
            except OSError:
                continue  # taken, or below 1024 and not ours to take
            return int(attempt.getsockname()[1])
    raise CourseError(_("This machine has no free TCP port."))
