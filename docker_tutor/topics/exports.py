"""The file system of an image, as a tar: nothing is run in it, so it may be one without a shell."""

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from docker_tutor.classroom.room import Room

__all__ = ["exported"]


@contextmanager
def exported(room: Room, image: str, folder: str = "/") -> Iterator[tarfile.TarFile]:
    """Yield what a container of `image` would see, or one folder of it, named from its own name on.

    Source: `docker export` and `docker cp`. The engine adds empty files of its own, such as `/.dockerenv`. Raises
    CommandFailed, and docker's NotFound where there is no such folder.
    """
    # Never started; an image from scratch may have no command of its own, so one is named.
    container: Any = room.client.containers.create(image, ["never-started"], network_mode="none")
    archive = room.folder / f"{room.unique('export')}.tar"
    try:
        chunks = container.export() if folder == "/" else container.get_archive(folder)[0]
        with archive.open("wb") as file:
            file.writelines(chunks)
        with tarfile.open(archive) as tar:
            yield tar
    finally:
        container.remove()
        archive.unlink(missing_ok=True)
