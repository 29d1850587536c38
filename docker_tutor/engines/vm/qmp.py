"""Talk to a QEMU that runs: commands and events, one JSON object a line, over a socket that nobody else has.

Source: QEMU's manual, "QEMU Machine Protocol Specification" and "QEMU QMP Reference Manual" (10.0).
"""

import asyncio
import json
import socket
from collections import deque
from collections.abc import Container
from typing import Any

from docker_tutor.engines.vm.line import Messages

__all__ = ["Control", "QemuRefused"]

CHUNK_BYTES = 1 << 16


class QemuRefused(Exception):
    """QEMU did not do what it was told, and says why; never seen outside the keeper."""


class Control:
    """One conversation, a question at a time. Everything raises `QemuRefused`, `OSError`, `EOFError` at its end."""

    def __init__(self, end: socket.socket) -> None:
        """Talk over `end`, whose other end is QEMU's."""
        end.setblocking(False)  # noqa: FBT003 - the library has no name for it
        self._end = end
        self._messages = Messages()
        self._said: deque[dict[str, Any]] = deque()
        self._events: deque[dict[str, Any]] = deque()

    async def begin(self) -> None:
        """Agree on the language: before that QEMU takes no other command."""
        await self.do("qmp_capabilities")

    async def do(self, command: str, **arguments: object) -> Any:
        """Return what QEMU answers to a command; a `_` in a name stands for QEMU's `-`."""
        question = {"execute": command, "arguments": {name.replace("_", "-"): arguments[name] for name in arguments}}
        await asyncio.get_running_loop().sock_sendall(self._end, json.dumps(question).encode() + b"\n")
        while True:
            while self._said:
                answer = self._said.popleft()
                if "error" in answer:
                    raise QemuRefused(answer["error"]["desc"])
                if "return" in answer:
                    return answer["return"]
            await self._next()

    async def until(self, event: str, status: Container[str]) -> str:
        """Return the status that an event of this name comes with, once it is one of `status`."""
        while True:
            while self._events:
                found = self._events.popleft()
                if found["event"] == event and (now := str(found["data"].get("status"))) in status:
                    return now
            await self._next()

    async def _next(self) -> None:
        data = await asyncio.get_running_loop().sock_recv(self._end, CHUNK_BYTES)
        if not data:
            raise EOFError
        for message in self._messages.feed(data):
            (self._events if "event" in message else self._said).append(message)
