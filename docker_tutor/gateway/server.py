"""The gateway's own process: listens, serves, and removes everything of its scope when it ends."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from docker_tutor.gateway.daemon import Daemon
from docker_tutor.gateway.live import registrations
from docker_tutor.gateway.proxy import Connection
from docker_tutor.gateway.records import Journal, LedgerEntry, read_ledger
from docker_tutor.gateway.removal import Cleaned, remove
from docker_tutor.gateway.rules import Extension, ScopeRules
from docker_tutor.gateway.upstream import BUFFER_BYTES, Connector
from docker_tutor.gateway.wire import ClientReader

__all__ = ["SOCKET_FILE", "Server"]

SOCKET_FILE = "docker.sock"


@dataclass(slots=True)
class Server:
    """One scope's door: a listening socket and the connections that came through it."""

    connector: Connector
    scope: str
    owner: str
    folder: Path
    disposable: bool = True
    extension: Extension | None = None
    live_folder: Path | None = None
    """Where the registrations of all gateways of this owner are."""
    rules: ScopeRules = field(init=False)
    journal: Journal = field(init=False)
    _listening: asyncio.Server | None = field(init=False, default=None)
    _serving: dict["asyncio.Task[None]", asyncio.StreamWriter] = field(init=False, default_factory=dict)

    async def open(self) -> None:
        """Start to listen on `folder/docker.sock`, readable and writable by its owner alone."""
        self.journal = Journal(self.folder)
        self.rules = ScopeRules(
            self.scope,
            self.owner,
            Daemon(self.connector),
            self.journal,
            extension=self.extension,
            disposable=self.disposable,
            others=self._others,
        )
        path = self.folder / SOCKET_FILE
        path.unlink(missing_ok=True)
        mask = os.umask(0o177)
        try:
            self._listening = await asyncio.get_running_loop().create_unix_server(self._protocol, str(path))
        finally:
            os.umask(mask)

    def _others(self) -> Iterator[LedgerEntry]:
        for entry in registrations(self.live_folder) if self.live_folder is not None else ():
            if entry.scope != self.scope:
                yield from read_ledger(Path(entry.folder))

    def _protocol(self) -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(ClientReader(limit=BUFFER_BYTES), self._connected)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not isinstance(reader, ClientReader):
            raise TypeError("connections are made with a ClientReader")
        connection = Connection((reader, writer), self.connector.open, self.rules, self.journal.call)
        task = asyncio.create_task(connection.serve())
        self._serving[task] = writer
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._serving.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            context = {"message": "a connection ended with an error", "exception": error, "task": task}
            asyncio.get_running_loop().call_exception_handler(context)

    async def settle(self) -> None:
        """Wait until the clients that have left are accounted for in the record."""
        leaving = [task for task, writer in self._serving.items() if writer.transport.is_closing()]
        if leaving:
            await asyncio.wait(leaving, timeout=1)

    async def close(self) -> Cleaned:
        """Let nothing more in, remove everything of the scope, and stop. Raises OSError, GatewayError."""
        if self._listening is not None:
            self._listening.close()
        self.rules.closing = True
        if self.rules.creating:
            await asyncio.wait(self.rules.creating, timeout=30)
        for task in list(self._serving):
            task.cancel()
        if self._serving:
            await asyncio.wait(list(self._serving), timeout=5)
        ledger = read_ledger(self.folder)
        try:
            return await remove(self.rules.daemon, self.scope, ledger, disposable=self.disposable)
        finally:
            await self.rules.daemon.close()
            self.journal.close()
            (self.folder / SOCKET_FILE).unlink(missing_ok=True)
