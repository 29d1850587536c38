"""The four places in which a container can keep data, made ready for a demonstration.

Sources: Docker's storage documentation; `man 5 tmpfs`; `man 8 mount` (bind mounts).
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from docker.models.containers import Container
from docker.types import Mount

from docker_tutor.classroom.room import Room
from docker_tutor.errors import CommandFailed
from docker_tutor.i18n import _
from docker_tutor.units import MiB

__all__ = ["FOLDERS", "IMAGE", "PLACES", "TMPFS_BYTES", "mounted", "shell", "sleeper"]

PLACES = ("container layer", "named volume", "bind mount", "tmpfs")
"""The four places, in the order in which every table and picture shows them."""

IMAGE = "alpine"
FOLDERS = dict(zip(PLACES, ("/layer", "/volume", "/bind", "/memory"), strict=True))
"""Where each place is found inside the container."""
TMPFS_BYTES = 64 * MiB
WRITABLE_BY_ALL = 0o777


@contextmanager
def mounted(room: Room) -> Iterator[list[Mount]]:
    """Give mounts for the three places outside the container's layer; remove them afterwards."""
    volume = room.client.volumes.create(room.unique("places"))
    with tempfile.TemporaryDirectory(dir=room.folder) as folder:
        # The container's root may write here whatever the engine maps it to.
        Path(folder).chmod(WRITABLE_BY_ALL)
        try:
            yield [
                Mount(FOLDERS["named volume"], volume.name, type="volume"),
                Mount(FOLDERS["bind mount"], folder, type="bind"),
                Mount(FOLDERS["tmpfs"], None, type="tmpfs", tmpfs_size=TMPFS_BYTES),
            ]
        finally:
            volume.remove(force=True)


def sleeper(room: Room, name: str, mounts: list[Mount], image: str = IMAGE) -> Container:
    """Start a container that does nothing for ten minutes, so that programs can be run inside it."""
    return room.client.containers.run(
        image,
        ["sleep", "600"],
        name=room.unique(name),
        detach=True,
        init=True,
        mounts=mounts,
        network_mode="none",
    )


def shell(container: Container, script: str) -> str:
    """Run a shell script in a running container and return what it writes, stripped.

    Raises CommandFailed, with its output, when it ends with an error.
    """
    code, output = container.exec_run(["sh", "-c", script])
    text = output.decode(errors="replace").strip() if isinstance(output, bytes) else ""
    if code:
        message = _("In the container, {script!r} ended with exit code {code}: {text}")
        raise CommandFailed(message.format(script=script, code=code, text=text))
    return text
