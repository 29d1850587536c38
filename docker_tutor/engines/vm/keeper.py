"""The keeper: the process that starts a virtual machine, holds its ends, and ends what is left when a part of it ends.

Run as `python -m docker_tutor.engines.vm.keeper NAME RUNTIME DATA`, the fields of its layout. It reads the console and
Docker's log, forwards ports, and listens for the guest's sign of life. The machine's programs end with it.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from docker_tutor.engines.private.relay import Relay
from docker_tutor.engines.private.slirp import Refused
from docker_tutor.engines.private.state import State, write_json
from docker_tutor.engines.vm import console, uplink
from docker_tutor.engines.vm.datagrams import OverLine
from docker_tutor.engines.vm.forwarding import Forwarding
from docker_tutor.engines.vm.hypervisors import HYPERVISORS
from docker_tutor.engines.vm.layout import Layout
from docker_tutor.engines.vm.line import Messages, Paced, written
from docker_tutor.engines.vm.machine import API_PORT, Machine, Start
from docker_tutor.engines.vm.saved import forget, keep
from docker_tutor.engines.vm.saving import Saving
from docker_tutor.engines.vm.sessions import adopt_orphans, end_sessions, reap_orphans
from docker_tutor.units import MiB

__all__ = ["Keeper", "main"]

CHUNK_BYTES = 1 << 16
STOP_WITHIN_S = 20
CROWDED_BYTES = 24 * MiB
"""More than what the guest has kept back for such a case (see `init.sh`)."""
BEHIND_BYTES = MiB
"""With so much still to be read, the guest is told no more that may be lost."""
LAST_WORDS_S = 0.3

log = logging.getLogger("keeper")


class Keeper:
    """Starts, listens, forwards, and ends."""

    def __init__(self, layout: Layout, machine: Machine) -> None:
        """Keep the machine that is described by `machine`."""
        self.layout = layout
        self.machine = machine
        self.hypervisor = HYPERVISORS[machine.kind]
        self.state = State(machine.image)
        self.note = ""
        self.ended = asyncio.Event()
        self._stopping = False
        self._connected = asyncio.Event()
        self._line: Paced | None = None
        self._saving: Saving | None = None
        self._datagrams = OverLine(self._tell_if_it_keeps_up)
        # What listens behind a fence is not reached from here.
        self._forwarding = Forwarding(layout, None if machine.fence else self._datagrams)
        self._silent: asyncio.TimerHandle | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._relays: list[Relay] = []

    async def run(self) -> None:
        """Keep until the machine ends, by itself or because somebody asked."""
        self.state.started("keeper", os.getpid(), self.layout.state)
        try:
            await self._start()
            await self.ended.wait()
            # What the guest said last may still be on its way.
            await asyncio.wait(self._tasks, timeout=LAST_WORDS_S)
        finally:
            for task in self._tasks:
                task.cancel()
            if not self._stopping:
                write_json(
                    self.layout.ended, {"note": self.note, "why": self.hypervisor.explained(self.layout.log("console"))}
                )
            left = end_sessions(self.state)
            reap_orphans()
            if left:
                log.error("would not end: %s", left)
            if self._saving and self._saving.saved:
                self._keep_saved()

    def on_ask(self) -> None:
        """Switch the machine off in good order, because somebody asked."""
        if self._stopping or self._line is None:
            self._stopping = True
            self.ended.set()
            return
        self._stopping = True
        self._tell({"do": "stop"})
        asyncio.get_running_loop().call_later(STOP_WITHIN_S, self.ended.set)

    def on_end_program(self) -> None:
        """End the program that runs beside the daemon, and all that it has started, because somebody asked."""
        self._tell({"do": "end program"})

    def on_ask_to_save(self) -> None:
        """Save the state of the machine and end it, because somebody asked; where that cannot be, switch it off."""
        if self._stopping or self._saving is None or not self.layout.ready.exists():
            self.on_ask()
        else:
            self._stopping = True
            self._task(self._save(self._saving))

    async def _save(self, saving: Saving) -> None:
        if not await saving.save():
            self._stopping = False
            self.on_ask()

    def _keep_saved(self) -> None:
        try:
            keep(self.layout, self.machine)
        except OSError as error:  # a full disk: the next start is a boot
            log.error("not saved: %r", error)  # noqa: TRY400 - people read this log
            forget(self.layout)

    def _tell(self, message: dict[str, object]) -> None:
        if self._line:
            self._line.put(written(message))

    def _tell_if_it_keeps_up(self, message: dict[str, object]) -> None:
        if self._line and self._line.waiting_bytes < BEHIND_BYTES:
            self._tell(message)

    async def _start(self) -> None:
        connected = await self._start_slirp()
        await self._start_beside()
        screen, console_end = socket.socketpair()
        line, line_end = socket.socketpair()
        daemon, daemon_end = socket.socketpair()
        control, control_end = socket.socketpair()
        with console_end, line_end, daemon_end, control_end:
            ends = [end.fileno() for end in (console_end, line_end, daemon_end, control_end)]
            start = self.hypervisor.start(self.layout, self.machine, *ends)
            affinity = os.sched_getaffinity(0)
            try:
                # Inherited by the machine: with their own choice of CPU, UML's processes wait for each other.
                os.sched_setaffinity(0, start.cpus or affinity)
                self._spawn("machine", start, [*ends, *start.descriptors], console_end.fileno())
            finally:
                os.sched_setaffinity(0, affinity)
                for descriptor in start.descriptors:
                    os.close(descriptor)
        reader, writer = await asyncio.open_connection(sock=line)
        self._line = Paced(writer.write)
        self._task(self._copy(screen, "console", watch=console.Watch(self.layout)))
        self._task(self._copy(daemon, "dockerd"))
        self._task(self._open_api(connected))
        self._task(self._listen(reader))
        self._alive(max(self.machine.silent_after_s, self.hypervisor.READY_WITHIN_S))
        if self.hypervisor.SAVES:
            self._saving = Saving(self.layout, control, self._tell)
            self._task(self._begin(self._saving))

    async def _start_slirp(self) -> asyncio.StreamReader:
        """Start slirp4netns; return what ends once the guest has connected to it and its API answers."""
        reading, writing = os.pipe()
        command = uplink.command(self.layout, self.machine, writing)
        output, output_end = socket.socketpair()
        with output_end:
            start = Start(command, Path("/"), self.machine.environment)
            self._spawn("slirp4netns", start, [writing], output_end.fileno())
        os.close(writing)
        listening = asyncio.Event()
        self._task(self._copy(output, "slirp4netns", said=listening))
        await listening.wait()  # "Waiting for connection to …": now the guest's kernel can connect
        ready = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(ready)
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(reading, "rb"))
        return ready

    async def _start_beside(self) -> None:
        """Start what serves the guest, and return when all of it listens."""
        for name, start in self.hypervisor.beside(self.layout, self.machine).items():
            output, output_end = socket.socketpair()
            with output_end:
                self._spawn(name, start, [], output_end.fileno())
            said = asyncio.Event()
            self._task(self._copy(output, name, said=said))
            # One that ends at once says nothing, perhaps.
            waiting = {asyncio.ensure_future(event.wait()) for event in (said, self.ended)}
            _done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for each in pending:
                each.cancel()

    def _spawn(self, name: str, start: Start, descriptors: Sequence[int], output: int) -> None:
        process = subprocess.Popen(
            start.command,
            env=dict(start.environment),
            cwd=start.folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=descriptors,
            start_new_session=True,  # by which all of its processes are found, whatever becomes of the first
        )
        self.state.started(name, process.pid, self.layout.state)
        watch = os.pidfd_open(process.pid)
        asyncio.get_running_loop().add_reader(watch, self._on_end, name, watch)

    def _on_end(self, name: str, watch: int) -> None:
        asyncio.get_running_loop().remove_reader(watch)
        os.close(watch)
        log.info("%s ended", name)
        self.note = self.note or f"{name} ended"
        self.ended.set()

    def _task(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(work))

    async def _begin(self, saving: Saving) -> None:
        if why := await saving.begin(resumes=self.machine.resumes):
            self.note = self.note or f"state: {why}"
            self.ended.set()

    async def _open_api(self, connected: asyncio.StreamReader) -> None:
        await connected.read(1)
        try:
            await self._forwarding.fixed(self.machine.api_port, API_PORT)
            self._relays = await uplink.doors(self.machine, self.state.processes["slirp4netns"].pid)
        except (Refused, OSError) as error:
            self.note = f"port: {error}"
            self.ended.set()
        self._connected.set()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        messages = Messages()
        while data := await reader.read(CHUNK_BYTES):
            for message in messages.feed(data):
                self._alive()
                self._note_down(message)
                if "listeners" in message:
                    await self._connected.wait()
                    await self._forwarding.arrange(message["listeners"])
                elif message.get("ended") == "program":
                    self.layout.program_ended.touch()
                elif message.get("ready"):
                    await self._connected.wait()
                    log.info("Docker answers")
                    write_json(self.layout.ready, {"machine": self.state.processes["machine"].pid})
                    _say_ready()
                elif message.get("resting") and self._saving:
                    self._saving.rests.set()
                elif "failed" in message:
                    self.note = f"{message['failed']}: {message.get('said', '')}"  # tells more than that it ended
                    log.error("%s", self.note)
                    self.ended.set()

    async def _copy(
        self, end: socket.socket, name: str, *, watch: console.Watch | None = None, said: asyncio.Event | None = None
    ) -> None:
        reader, writer = await asyncio.open_connection(sock=end)
        with contextlib.closing(writer), self.layout.log(name).open("wb", buffering=0) as file:
            while data := await reader.read(CHUNK_BYTES):
                console.append(file, data)
                if said:
                    said.set()
                if watch and (why := watch.feed(data)):
                    self.note = self.note or why
                    asyncio.get_running_loop().call_later(1, self.ended.set)

    def _alive(self, silent_after_s: float | None = None) -> None:
        if self._silent:
            self._silent.cancel()
        after_s = silent_after_s or self.machine.silent_after_s
        self._silent = asyncio.get_running_loop().call_later(after_s, self._on_silence, after_s)

    def _note_down(self, message: Mapping[str, Any]) -> None:
        if "read" in message and self._line:
            self._line.was_read(int(message["read"]))
        if "datagram" in message:
            self._datagrams.heard(message)
        if "free" in message and int(message["free"]) < CROWDED_BYTES:
            self.layout.crowded.touch()
        elif "free" in message:
            self.layout.crowded.unlink(missing_ok=True)

    def _on_silence(self, after_s: float) -> None:
        self.note = f"the guest has shown no sign of life for {after_s:.0f} s"
        log.error("%s", self.note)
        self.ended.set()


def _say_ready() -> None:
    if path := os.environ.pop("NOTIFY_SOCKET", None):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.sendto(b"READY=1", path)


async def _keep(layout: Layout, machine: Machine) -> None:
    keeper = Keeper(layout, machine)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, keeper.on_ask)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, keeper.on_end_program)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, keeper.on_ask_to_save)
    await keeper.run()


def main(name: str, runtime: str, data: str) -> None:
    """Keep the machine whose layout has the three fields `name`, `runtime` and `data`."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    adopt_orphans()
    layout = Layout(name, Path(runtime), Path(data))
    asyncio.run(_keep(layout, Machine.read(layout.machine)))


if __name__ == "__main__":
    main(*sys.argv[1:])
