"""How to reach the daemon: a Unix socket, TCP, TCP with TLS, or `ssh` — behind one `open()`."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
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
    """`unix:///path`, `tcp://host:port` or `ssh://user@host`, as `DOCKER_HOST` has it."""
    tls_folder: Path | None = None
    """Where `ca.pem`, `cert.pem` and `key.pem` are (`DOCKER_CERT_PATH`), for TCP with TLS."""

    async def open(self) -> Streams:
        """Open one connection. Raises OSError when the daemon does not answer."""
        parts = urlsplit(self.address)
        if parts.scheme in {"unix", "http+unix"}:
            return await _connected(asyncio.get_running_loop().create_unix_connection, parts.path)
        if parts.scheme in {"tcp", "http", "https"} and parts.hostname:
            return await self._open_tcp(parts.hostname, parts.port)
        if parts.scheme == "ssh" and parts.hostname:
            return await self._open_ssh(parts.hostname, parts.port, parts.username)
        raise GatewayError(_("“{address}” is no address of a Docker daemon").format(address=self.address))

    async def _open_tcp(self, host: str, port: int | None) -> Streams:
        if self.tls_folder is None:
            return await _connected(asyncio.get_running_loop().create_connection, host, port or 2375)
        import ssl

        context = ssl.create_default_context(cafile=str(self.tls_folder / "ca.pem"))
        context.load_cert_chain(self.tls_folder / "cert.pem", self.tls_folder / "key.pem")
        return await _connected(asyncio.get_running_loop().create_connection, host, port or 2376, ssl=context)

    async def _open_ssh(self, host: str, port: int | None, user: str | None) -> Streams:
        # What the CLI itself does for ssh:// addresses: the far end's CLI carries bytes to its daemon.
        where = [*(["-l", user] if user else []), *(["-p", str(port)] if port else []), "--", host]
        process = await asyncio.create_subprocess_exec(
            "ssh",
            *where,
            *("docker", "system", "dial-stdio"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=BUFFER_BYTES,
            start_new_session=True,
            env=os.environ,
        )
        if process.stdout is None or process.stdin is None:
            raise ConnectionError("ssh was started without pipes")
        return process.stdout, process.stdin
