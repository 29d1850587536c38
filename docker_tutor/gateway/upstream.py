"""How to reach the daemon: a Unix socket, TCP, TCP with TLS, or `ssh` — behind one `open()`."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from docker_tutor.errors import GatewayError
from docker_tutor.i18n import _

__all__ = ["BUFFER_BYTES", "Connector", "Streams"]

BUFFER_BYTES = 256 * 1024
"""How much one side may be ahead of the other."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Reader(asyncio.StreamReader):
    """A stream that keeps what it has read when the other side no longer takes what is written.

    A container that ends while its input is still coming has said something first.
    """

    def set_exception(self, exc: BaseException) -> None:
        if isinstance(exc, ConnectionError):
            self.feed_eof()
        else:
            super().set_exception(exc)  # type: ignore[arg-type]


async def _connected(connect: Callable[..., Awaitable[tuple[Any, Any]]], *where: Any, **options: Any) -> Streams:
    loop = asyncio.get_running_loop()
    reader = _Reader(limit=BUFFER_BYTES)
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _protocol = await connect(lambda: protocol, *where, **options)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


@dataclass(frozen=True, slots=True)
class Connector:
    """Opens connections to one daemon. Raises GatewayError for an address that it cannot understand."""

    address: str
    """`unix:///path`, `tcp://host:port`, `tcp://host:port?tls=FOLDER` or `ssh://user@host`: see `engines.dialing`."""

    async def open(self) -> Streams:
        """Open one connection. Raises OSError when the daemon does not answer."""
        parts = urlsplit(self.address)
        if parts.scheme in {"unix", "http+unix"}:
            return await _connected(asyncio.get_running_loop().create_unix_connection, parts.path)
        if parts.scheme in {"tcp", "http", "https"} and parts.hostname:
            return await self._open_tcp()
        if parts.scheme == "ssh" and parts.hostname:
            return await self._open_ssh()
        raise GatewayError(_("“{address}” is no address of a Docker daemon").format(address=self.address))

    async def _open_tcp(self) -> Streams:
        from docker_tutor.engines.dialing import host_and_port, tls_context, tls_folder

        host, port = host_and_port(self.address)
        folder = tls_folder(self.address)
        if folder is None:
            return await _connected(asyncio.get_running_loop().create_connection, host, port)
        from docker_tutor.gateway.tls import carried

        return await _over(await carried(host, port, tls_context(folder)))

    async def _open_ssh(self) -> Streams:
        from docker_tutor.engines.dialing import connect

        return await _over(connect(self.address, None))  # which starts `ssh`, and waits for nothing


async def _over(ours: socket.socket) -> Streams:
    return await _connected(asyncio.get_running_loop().create_unix_connection, None, sock=ours)
