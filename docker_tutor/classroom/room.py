"""A room: one notebook's scope on an engine, from its first cell until its kernel stops."""

import atexit
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import docker
from docker.constants import DEFAULT_TIMEOUT_SECONDS

from docker_tutor import engines
from docker_tutor.classroom import commands, current, scopes
from docker_tutor.classroom.abilities import Abilities, abilities
from docker_tutor.classroom.bars import Bar, Board, in_kernel
from docker_tutor.classroom.belongings import Belongings, belongings
from docker_tutor.classroom.cleaning import Cleanup, clean_alone
from docker_tutor.classroom.environment import Environment, for_commands, write_cli_config
from docker_tutor.classroom.frames import whole_cells
from docker_tutor.classroom.requirements import missing
from docker_tutor.classroom.summary import Summary, about
from docker_tutor.classroom.waits import Wait
from docker_tutor.engines.base import Capabilities, Engine
from docker_tutor.errors import CapabilityMissing, RoomClosed
from docker_tutor.gateway import Call, Gateway
from docker_tutor.i18n import _
from docker_tutor.images import ensure
from docker_tutor.progress import Report, silent

if TYPE_CHECKING:
    from docker_tutor.classroom.spare import SpareRoom

__all__ = ["Room", "open_room"]


class Room:
    """One notebook's scope: what is made through it belongs to it, and is removed with it.

    Made by `open_room`. While it is open, typed commands of this process reach the same engine through the
    same gateway, and the working directory is the room's folder.
    """

    def __init__(self, name: str, engine: Engine) -> None:
        """Be a room of `engine` for the notebook `name`; nothing is started before `enter`."""
        self.name = name
        self.engine = engine
        self.scope = ""
        self.address = ""
        self.wait = Wait(lambda: self.api, lambda: engine.slowness)
        self.summary: Summary | None = None
        self._client: docker.DockerClient | None = None
        self._gateway: Gateway | None = None
        self._undo = ExitStack()
        self._pid = os.getpid()

    def enter(self) -> Cleanup:
        """Take a scope, start its gateway and set the environment; return what dead rooms had left.

        Undone by `close`, and at once if it fails.
        """
        try:
            with scopes.alone():
                cleanup = clean_alone(self.engine)
                scope = scopes.claim(self.name)
                self._undo.callback(self._leave_scope)
                self._scope, self.scope, self.folder = scope, scope.name, scope.work
                disposable = self.engine.disposable
                self._gateway = Gateway.start(self.engine.address, scope.name, scope.folder, disposable=disposable)
            self.address = self._gateway.address
            config = write_cli_config(scope.folder / "cli", self.engine.tools)
            self._environment = Environment(for_commands(self.address, self.engine, config), self.folder)
            self._environment.enter()
            self._undo.callback(self._environment.restore)
            if in_kernel():
                self._undo.enter_context(whole_cells())
            current.enter(self)
        except BaseException:  # Ctrl-C too: half a room is no room
            self.close()
            raise
        return cleanup

    @property
    def client(self) -> docker.DockerClient:
        """The SDK's client, through the gateway. Raises RoomClosed when the room has been left."""
        self._must_be_open()
        if self._client is None:
            self._client = docker.DockerClient(
                base_url=self.address, timeout=DEFAULT_TIMEOUT_SECONDS * self.engine.slowness
            )
            self._undo.callback(self._client.close)
        return self._client

    @property
    def api(self) -> docker.APIClient:
        """The SDK's low-level client, through the gateway."""
        return self.client.api

    @cached_property
    def capabilities(self) -> Capabilities:
        """What the engine was found to be able to do."""
        return self.engine.capabilities()

    def abilities(self) -> Abilities:
        """Return the same as a table for a reader: what is there, what needs it, what to do about what is missing."""
        return abilities(self.capabilities)

    def belongings(self) -> Belongings:
        """Return where the course keeps its things, how big they are, and how they go."""
        return belongings(self.folder)

    def require(self, *names: str) -> None:
        """Go on only if the engine has every capability named. Raises CapabilityMissing with one clear sentence."""
        for name in names:
            sentence = missing(self.capabilities, name)
            if sentence:
                raise CapabilityMissing(sentence)

    def cli(
        self,
        *words: str,
        check: bool = True,
        timeout_s: float = 60,
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run `docker WORDS…`, the real command line, through the gateway, and return what it wrote.

        Raises CommandFailed when it ends with an error (unless `check` is False) and WaitTimedOut after
        `timeout_s` seconds, or several times that on an engine as slow as that.
        """
        self._must_be_open()
        environment = {**self._environment.merged(), **(env or {})}
        return commands.run(
            ["docker", *words],
            check=check,
            timeout_s=timeout_s * self.engine.slowness,
            stdin=stdin,
            env=environment,
            cwd=cwd or self.folder,
        )

    def calls(self) -> Sequence[Call]:
        """Return the calls to the engine that went through this room's gateway, oldest first."""
        self._must_be_open()
        return self._gateway.calls() if self._gateway is not None else ()

    def unique(self, name: str) -> str:
        """Return a name that no other room uses: `greedy` becomes `greedy-3f9a`."""
        return f"{name}-{self._scope.suffix}"

    def spare(
        self,
        name: str,
        *,
        images: Sequence[str] = (),
        settings: Mapping[str, object] | None = None,
        runtimes: Mapping[str, Path] | None = None,
        report: Report = silent,
    ) -> "SpareRoom":
        """Open a second room, on a disposable engine of its own: gone when it is closed, or this one is.

        `settings` go into its `daemon.json`, `runtimes` are further OCI runtimes by name, `images` are brought along.
        Raises CapabilityMissing with one clear sentence where no second engine can be had.
        """
        from docker_tutor.classroom.spare import SpareRoom

        self._must_be_open()
        other = SpareRoom(self, name, images=images, settings=settings, runtimes=runtimes, report=report)
        self._undo.callback(other.close)
        return other

    def require_spare(self) -> None:
        """Go on only where `spare` works: before anything is fetched for it. Raises CapabilityMissing."""
        from docker_tutor.engines import spare

        spare.require()

    @property
    def is_open(self) -> bool:
        """Whether the room can be used."""
        return current.room() is self

    def close(self) -> None:
        """Remove everything that was made in the room and give the environment back. May be called again."""
        if os.getpid() != self._pid:
            return  # a fork of the kernel (multiprocessing) does not own the room
        current.leave(self)
        atexit.unregister(self.close)
        self._undo.close()

    def __enter__(self) -> Self:
        """Return the room itself: `with open_room(…) as room`."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the room."""
        self.close()

    def __repr__(self) -> str:
        """Say which room it is, and whether it is open."""
        return f"<Room {self.name} ({self.scope}): {'open' if self.is_open else 'closed'}>"

    def _leave_scope(self) -> None:
        left = self._gateway.close().leftovers if self._gateway is not None else ()
        if not left:
            self._scope.forget()  # otherwise its ledger is needed to try again

    def _must_be_open(self) -> None:
        if not self.is_open:
            raise RoomClosed(_("Room {name} is closed. Run the notebook's first cell again.").format(name=self.name))


def open_room(name: str, images: Sequence[str] = (), *, engine: Engine | None = None) -> Room:
    """Open the room of notebook `name` and see to it that its `images` are there; the notebook's first cell.

    Finds an engine (or takes `engine`), brings it up, removes what rooms of dead kernels left, and says in a
    few lines what was found. A room that is open in this process is closed first. Raises EngineError,
    PackageError, ImageError: one clear sentence each.
    """
    began = time.monotonic()
    former = current.room()
    if isinstance(former, Room):
        former.close()
    board = Board()
    bar = Bar(board)
    chosen = engine or engines.resolve()
    chosen.up(bar)
    which = about(chosen)
    room = Room(name, chosen)
    cleanup = room.enter()
    atexit.register(room.close)
    try:
        provided = ensure(room.client, images, bar, disposable=chosen.disposable)
    except BaseException:  # Ctrl-C too
        room.close()
        raise
    room.summary = Summary(room.scope, which, provided, time.monotonic() - began, cleanup.objects)
    board.show(room.summary.page(), room.summary.text())
    return room
