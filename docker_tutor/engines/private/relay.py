"""Reach a listener that takes only one address of its namespace (`-p 127.0.0.1:8080:80`): slirp4netns cannot.

A socket belongs to the namespace of the thread that made it. So one thread enters the engine's namespace, makes the
outgoing sockets there, and the event loop, which stays outside, uses them.
"""

import asyncio
import ctypes
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

__all__ = ["Inside", "Relay"]

CLONE_NEWNET = 0x40000000
CHUNK_BYTES = 1 << 16


class Inside:
    """Makes sockets inside a network namespace."""

    def __init__(self, namespace: Path) -> None:
        """Make them in `namespace`."""
        self._namespace = namespace
        # The thread never comes back out, hence one that does nothing else.
        self._thread = ThreadPoolExecutor(1, "inside", initializer=self._enter)

    def _enter(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        descriptor = os.open(self._namespace, os.O_RDONLY)
        try:
            if libc.setns(descriptor, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
        finally:
            os.close(descriptor)

    async def made(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        """Return a new socket of the namespace. Raises `OSError`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, socket.socket, family, kind, protocol)

    async def connected(self, address: tuple[str, int], kind: socket.SocketKind) -> socket.socket:
        """Return a new socket of the namespace, connected to `address`. Raises `OSError`."""
        loop = asyncio.get_running_loop()
        made = await self.made(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, kind)
        made.setblocking(False)  # noqa: FBT003 - the standard library's own signature
        try:
            await loop.sock_connect(made, address)
        except OSError:
            made.close()
            raise
        return made


class Relay:
    """Takes connections at 127.0.0.1 of this machine, or at a socket, and carries them to one address inside."""

    def __init__(self, inside: Inside, address: str, port: int, at: int | Path | None = None) -> None:
        """Carry to `address`:`port` what comes in `at` a port or a path; None for the same port."""
        self._inside = inside
        self._address = address
        self._port = port
        self._at = port if at is None else at
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen. Raises `OSError` when the port is taken."""
        if isinstance(self._at, Path):
            self._server = await asyncio.start_unix_server(self._carry, self._at)
        else:
            self._server = await asyncio.start_server(self._carry, "127.0.0.1", self._at)

    def close(self) -> None:
        """Listen no more; connections that are open stay open."""
        if self._server:
            self._server.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            made = await self._inside.connected((self._address, self._port), socket.SOCK_STREAM)
            far_reader, far_writer = await asyncio.open_connection(sock=made)
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        except OSError:
            return  # one side broke off, and so does the other
        finally:
            far_writer.close()
            writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(CHUNK_BYTES):
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()  # the other direction may go on: a half-closed connection
