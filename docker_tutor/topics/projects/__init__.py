"""Small programs for the chapters to build, as files: copied into a room, where they can be edited."""

import shutil
from pathlib import Path

from docker_tutor.classroom.room import Room

__all__ = ["lay_out"]

FOLDER = Path(__file__).parent


def lay_out(room: Room, project: str, name: str) -> Path:
    """Copy a project (`go_service`, `node_service`) into the room's folder as `name`, and return where it is.

    What is there already is written over: the cell can be run again. Raises FileNotFoundError for no such project.
    """
    target = room.folder / name
    shutil.copytree(FOLDER / project, target, dirs_exist_ok=True)
    return target
