"""What `start` looks at before it begins: room on the disk and in memory."""

import os
import shutil
from pathlib import Path

import psutil

from docker_tutor import paths
from docker_tutor.errors import CourseError
from docker_tutor.i18n import _
from docker_tutor.units import GiB, MiB, human_bytes

__all__ = ["check_room"]

DISK_BYTES = 3 * GiB
"""Engine packages (0.1 GiB fetched, 0.45 GiB unpacked), images and what the notebooks build, with some air."""

MEMORY_BYTES = 1 * GiB
"""JupyterLab, a kernel, the engine and the largest demonstration at once."""


def check_room(*, disk_bytes: int = DISK_BYTES, memory_bytes: int = MEMORY_BYTES) -> None:
    """Raise CourseError, saying what to do, when disk or memory will not last for a chapter."""
    for folder in (paths.cache_folder(), paths.data_folder()):
        _check_disk(folder, disk_bytes)
    available = psutil.virtual_memory().available
    if available < memory_bytes:
        message = _("{have} of memory are free; the course needs {need}. Close something large, then try again.")
        raise CourseError(message.format(have=human_bytes(available), need=human_bytes(memory_bytes)))


def _check_disk(folder: Path, needed: int) -> None:
    if not os.access(folder, os.W_OK):
        raise CourseError(_("You may not write in {folder}, where the course keeps its data.").format(folder=folder))
    free = shutil.disk_usage(folder).free
    # Rounded, so that the message never says "3 GiB free, 3 GiB needed".
    if free < needed - MiB:
        message = _(
            "{have} are free on the disk of {folder}; the course needs {need}. Free some, or choose another place: "
            "XDG_CACHE_HOME and XDG_DATA_HOME say where the course keeps its things."
        )
        raise CourseError(message.format(have=human_bytes(free), folder=folder, need=human_bytes(needed)))
