"""The chapter's Java service: its files laid out in the room, and its health followed."""

import shutil
from pathlib import Path

from docker.models.containers import Container

from docker_tutor import paths
from docker_tutor.classroom.room import Room
from docker_tutor.errors import CourseError
from docker_tutor.i18n import _
from docker_tutor.topics import health

__all__ = ["lay_out", "through_sickness"]

STOCK = ("wget", "-q", "-O", "-", "--post-data=")


def lay_out(room: Room, name: str = "service") -> Path:
    """Copy the service's project into the room's folder as `name`; return the folder.

    Raises CourseError when the checkout lacks the files.
    """
    source = paths.checkout() / "notebooks" / "files" / "03-service"
    if not source.is_dir():
        raise CourseError(_("There is no folder {folder}: this checkout is incomplete.").format(folder=source))
    target = room.folder / name
    shutil.copytree(source, target, dirs_exist_ok=True)
    return target


def through_sickness(room: Room, name: str) -> health.HealthTimeline:
    """Follow the running service `name` while its stock runs out and comes back; its health check says so."""
    container: Container = room.client.containers.get(name)
    sold, back = ((*STOCK, f"http://localhost:8080/stock?there={there}") for there in ("false", "true"))
    return health.follow(room, container, fall_ill=sold, recover=back)
