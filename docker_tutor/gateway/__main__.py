"""`python -m docker_tutor.gateway`: one gateway, started by `Gateway.start` and tied to its parent's life.

Standard input is the tie: commands come in as JSON lines, and its end means that the parent is gone. Answers
go to standard output. What is worth knowing afterwards goes to standard error, the scope's `gateway.log`.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path

from docker_tutor.gateway.extension import load
from docker_tutor.gateway.live import Registration, register
from docker_tutor.gateway.server import Server
from docker_tutor.gateway.upstream import Connector


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m docker_tutor.gateway", allow_abbrev=False)
    for name in ("--upstream", "--scope", "--owner"):
        parser.add_argument(name, required=True)
    parser.add_argument("--folder", required=True, type=Path)
    parser.add_argument("--live", required=True, type=Path)
    parser.add_argument("--parent", required=True, type=int)
    parser.add_argument("--extension")
    parser.add_argument("--shared", action="store_true", help="the engine is not the course's own")
    return parser.parse_args()


class _Control:
    """What the parent says, and whether there still is one."""

    def __init__(self, server: Server, parent: int) -> None:
        self._server = server
        self.asked = False
        self._over = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._over.set)
        # Interrupting a cell interrupts the parent's whole process group, in some front ends.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._watch(parent)

    def _watch(self, parent: int) -> None:
        # A child that the parent forked keeps the pipe open beyond the parent's end; this does not miss it.
        if hasattr(os, "pidfd_open"):
            try:
                descriptor = os.pidfd_open(parent)
            except ProcessLookupError:
                self._over.set()
            except OSError:
                return  # this kernel does not have it: the pipe has to do
            else:
                asyncio.get_running_loop().add_reader(descriptor, self._over.set)

    async def until_over(self) -> None:
        """Obey until told to close, or until the parent is gone."""
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        transport, _protocol = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        listening = asyncio.create_task(self._listen(reader))
        await self._over.wait()
        listening.cancel()
        transport.close()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            command = json.loads(line).get("do")
            if command == "settle":
                await self._server.settle()
                say({"settled": True})
            elif command == "close":
                self.asked = True
                break
        self._over.set()


def say(message: object) -> None:
    """Tell the parent, if it still listens."""
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


async def serve(arguments: argparse.Namespace) -> int:
    """Run one gateway from its first to its last moment; return the exit status."""
    server = Server(
        Connector(arguments.upstream),
        arguments.scope,
        arguments.owner,
        arguments.folder,
        disposable=not arguments.shared,
        extension=load(arguments.extension) if arguments.extension else None,
        live_folder=arguments.live.parent,
    )
    registration = Registration(
        scope=arguments.scope,
        pid=os.getpid(),
        started_s=time.time(),
        upstream=arguments.upstream,
        folder=str(arguments.folder),
        owner=arguments.owner,
        disposable=not arguments.shared,
    )
    try:
        lock = register(arguments.live, registration)
    except BlockingIOError:
        say({"error": f"scope {arguments.scope} has a gateway already"})
        return 1
    with lock:
        control = _Control(server, arguments.parent)
        await server.open()
        say({"ready": True})
        await control.until_over()
        cleaned = await server.close()
        # What could not be removed is found again through this file, with the ledger it points to.
        if not cleaned.leftovers:
            arguments.live.unlink(missing_ok=True)
        sys.stderr.write(f"{cleaned}\n")
        if control.asked:
            say({"cleaned": asdict(cleaned)})
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(serve(_arguments())))
