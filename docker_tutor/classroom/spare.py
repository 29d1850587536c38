"""A second room, on an engine that may be broken: for experiments that the learner's own must not see.

::

    with room.spare("live", images=["alpine:3.19"], settings={"live-restore": True}) as other:
        other.cli("run", "-d", "--name", "survivor", "alpine:3.19", "sleep", "3600")
        other.engine.kill_daemon()
        other.engine.start_daemon()

It is a room in every respect but two: typed commands of the notebook keep reaching the first one, and no gateway stands
before its daemon, since the whole engine goes at the end (`calls` is empty).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from docker.errors import ImageNotFound

from docker_tutor.classroom.environment import Environment, for_commands, write_cli_config
from docker_tutor.classroom.room import Room
from docker_tutor.classroom.scopes import Scope
from docker_tutor.engines.spare import SpareEngine, spare
from docker_tutor.images import ensure
from docker_tutor.progress import Report, silent

__all__ = ["SpareRoom"]


class SpareRoom(Room):
    """A room on a spare engine; closed with the room that asked for it, at the latest. Made by `Room.spare`."""

    engine: SpareEngine

    def __init__(
        self,
        parent: Room,
        name: str,
        *,
        images: Sequence[str] = (),
        settings: Mapping[str, object] | None = None,
        runtimes: Mapping[str, Path] | None = None,
        report: Report = silent,
    ) -> None:
        """Start the engine and load `images` into it, from the parent's engine where they are there.

        Raises CapabilityMissing, EngineError, PackageError, ImageError.
        """
        wanted = spare(name, settings=settings, runtimes=runtimes, report=report)
        engine = wanted.__enter__()
        super().__init__(f"{parent.name}-{name}", engine)
        self._undo.push(wanted)
        try:
            self._open(parent, name)
            self._load(parent, images, report)
        except BaseException:  # Ctrl-C too
            self.close()
            raise

    @property
    def is_open(self) -> bool:
        """Whether the room can be used."""
        return self._usable

    def close(self) -> None:
        """Take the engine down with all that is on it. May be called again."""
        self._usable = False
        super().close()

    def _open(self, parent: Room, name: str) -> None:
        self.scope, self.address = parent.scope, self.engine.address
        self.folder = parent.folder.parent / f"spare-{name}"
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._scope = Scope(parent.scope, self.folder, self.folder)
        config = write_cli_config(self.folder / "cli", self.engine.tools)
        self._environment = Environment(for_commands(self.address, self.engine, config), self.folder)
        self._usable = True

    def _load(self, parent: Room, images: Sequence[str], report: Report) -> None:
        for image in images:
            try:
                parent.client.images.get(image)
            except ImageNotFound:
                continue  # on an engine that is not ours a stand-in has no such name: made from its recipe below
            saved: Any = parent.api.get_image(image)  # by its name, with or without a tag
            self.client.images.load(saved)
        ensure(self.client, images, report, disposable=True)
