"""A room: one notebook's scope on an engine, from its first cell until its kernel stops."""

import atexit
import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import docker

from docker_tutor import paths
from docker_tutor.classroom import commands, current
from docker_tutor.classroom.bars import Bar, Board
from docker_tutor.classroom.early import EarlyDoor, EarlyEngine
from docker_tutor.classroom.environment import Environment, for_commands, write_cli_config
from docker_tutor.classroom.requirements import missing
from docker_tutor.classroom.summary import ImageNote, Summary
from docker_tutor.classroom.waits import Wait
from docker_tutor.engines.base import Capabilities, Engine
from docker_tutor.errors import CapabilityMissing, RoomClosed
from docker_tutor.i18n import _
from docker_tutor.progress import Report, Step, silent

__all__ = ["Room", "open_room"]


class Room:
    """One notebook's scope: what is made through it belongs to it, and is removed with it.

    Made by `open_room`. While it is open, typed commands of this process reach the same engine through the
    same gateway, and the working directory is the room's folder.
    """

    def __init__(self, name: str, engine: Engine) -> None:
        """Take a scope of `engine` for the notebook `name`; nothing is started before `enter`."""
        self.name = name
        self.engine = engine
        self.scope, self._scope_folder = _claim_scope(name)
        self.folder = paths.data_folder() / "rooms" / self.scope / _slug(name)
        self.wait = Wait(lambda: self.api)
        self.summary: Summary | None = None
        self._undo = ExitStack()
        self._open = False
        self._pid = os.getpid()

    def enter(self, report: Report = silent) -> None:
        """Start the gateway, make the folder and set the environment. Undone by `close`, and if it fails."""
        undo = self._undo
        undo.callback(shutil.rmtree, self._scope_folder, ignore_errors=True)
        undo.callback(shutil.rmtree, self.folder.parent, ignore_errors=True)
        try:
            self.folder.mkdir(parents=True)
            report(Step(_("Opening the gateway")))
            self._gateway = EarlyDoor.start(self.engine.address, self.scope, self._scope_folder)
            undo.callback(self._gateway.close)
            self.address = self._gateway.address
            config = write_cli_config(self._scope_folder / "cli", self.engine.tools)
            self._environment = Environment(for_commands(self.address, self.engine.tools, config), self.folder)
            self._environment.enter()
            undo.callback(self._environment.restore)
            self._open = True
            current.enter(self)
        except BaseException:  # Ctrl-C too: half a room is no room
            self.close()
            raise

    @cached_property
    def client(self) -> docker.DockerClient:
        """The SDK's client, through the gateway."""
        self._must_be_open()
        client = docker.DockerClient(base_url=self.address)
        self._undo.callback(client.close)
        return client

    @property
    def api(self) -> docker.APIClient:
        """The SDK's low-level client, through the gateway."""
        return self.client.api

    @cached_property
    def capabilities(self) -> Capabilities:
        """What the engine was found to be able to do."""
        return self.engine.capabilities()

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
        `timeout_s` seconds.
        """
        self._must_be_open()
        environment = {**self._environment.merged(), **(env or {})}
        return commands.run(
            ["docker", *words], check=check, timeout_s=timeout_s, stdin=stdin, env=environment, cwd=cwd or self.folder
        )

    def calls(self) -> Sequence[object]:
        """Return the calls to the engine that went through this room's gateway, oldest first."""
        self._must_be_open()
        return self._gateway.calls()

    def unique(self, name: str) -> str:
        """Return a name that no other room uses: `greedy` becomes `greedy-3f9a`."""
        return f"{name}-{self.scope.rpartition('-')[2]}"

    @property
    def is_open(self) -> bool:
        """Whether the room can be used."""
        return self._open

    def close(self) -> None:
        """Remove everything that was made in the room and give the environment back. May be called again."""
        if os.getpid() != self._pid:
            return  # a fork of the kernel (multiprocessing) does not own the room
        self._open = False
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
        return f"<Room {self.name} ({self.scope}): {'open' if self._open else 'closed'}>"

    def _must_be_open(self) -> None:
        if not self._open:
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
    chosen: Engine = engine or EarlyEngine()
    chosen.up(bar)
    room = Room(name, chosen)
    room.enter(bar)
    atexit.register(room.close)
    provided: list[ImageNote] = [ImageNote(image, "local") for image in images]
    room.summary = Summary(room.scope, chosen.status().detail, provided, time.monotonic() - began)
    board.show(room.summary.page(), room.summary.text())
    return room


def _claim_scope(name: str) -> tuple[str, Path]:
    """Find a scope that nobody has: `01-vm-vs-container` → `01-3f9a`, with an owner-only folder for its socket."""
    scopes = paths.runtime_folder() / "scopes"
    scopes.mkdir(mode=0o700, exist_ok=True)
    chapter = re.match(r"\d+", name)
    while True:
        scope = f"{chapter[0] if chapter else _slug(name)[:12]}-{secrets.token_hex(2)}"
        try:
            (scopes / scope).mkdir(mode=0o700)
        except FileExistsError:
            continue
        return scope, scopes / scope


def _slug(name: str) -> str:
    """Make a name fit for a folder, a container and a Compose project."""
    return re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-") or "room"
