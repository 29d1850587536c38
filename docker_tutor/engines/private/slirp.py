"""slirp4netns' own door: add and remove the forwarding of a port (`man 1 slirp4netns`, API SOCKET)."""

import asyncio
import json
from pathlib import Path
from typing import Any

__all__ = ["GUEST", "Refused", "Slirp"]

GUEST = "10.0.2.100"
"""The address that slirp4netns gives the namespace."""


class Refused(Exception):
    """slirp4netns would not: as a rule, the port is taken on this machine."""


class Slirp:
    """One running slirp4netns."""

    def __init__(self, socket: Path) -> None:
        """Speak to the one that listens at `socket`."""
        self.socket = socket

    async def add(self, port: int, *, guest: str = GUEST, inside: int | None = None) -> int:
        """Forward TCP from 127.0.0.1:`port` here to the same port (or `inside`) there; return the rule's number."""
        arguments = {"host_addr": "127.0.0.1", "host_port": port, "guest_addr": guest, "guest_port": inside or port}
        answer = await self._ask("add_hostfwd", {"proto": "tcp", **arguments})
        return int(answer["id"])

    async def remove(self, number: int) -> None:
        """Take the rule away; connections that are open stay open."""
        await self._ask("remove_hostfwd", {"id": number})

    async def _ask(self, what: str, arguments: dict[str, Any]) -> dict[str, Any]:
        reader, writer = await asyncio.open_unix_connection(self.socket)
        try:
            writer.write(json.dumps({"execute": what, "arguments": arguments}).encode())
            writer.write_eof()
            answer: dict[str, Any] = json.loads(await reader.read())
        finally:
            writer.close()
        if "error" in answer:
            raise Refused(answer["error"].get("desc", "refused"))
        result: dict[str, Any] = answer["return"]
        return result
