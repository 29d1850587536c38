"""The guest's own end: starts dockerd, says when it answers, what listens, and that it is still there.

Run inside the guest as `python3 -S -m docker_tutor.engines.vm.guest`, with the standard library alone, by `init.sh`.
When this ends the machine is switched off: there is nothing else to keep it for.
"""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from docker_tutor.engines.private.listeners import NETLINK_SOCK_DIAG, Listener, ask
from docker_tutor.engines.vm.beside import Beside
from docker_tutor.engines.vm.line import ACKNOWLEDGED_BYTES, Messages, written
from docker_tutor.engines.vm.peers import Peers

__all__ = ["Guest", "listening"]

LOOK_EVERY_S = 0.15
"""The kernel tells nobody when a socket begins to listen: see `docker_tutor.engines.private.listeners`."""
BEAT_EVERY_S = 2
STOP_WITHIN_S = 12
CONTAINERD_WITHIN_S = 14
"""dockerd waits 15 s for the containerd that it starts. The second time its files are in memory."""
STARTS = 4
NOTIFY = "/run/dockerd.notify"
SETTINGS = "/run/seed/daemon.json"
AUTHORITIES = "/run/seed/authorities.pem"
"""What the machine outside trusts, when it says so."""
DROP_CACHES = Path("/proc/sys/vm/drop_caches")
DISK = "/disk"
TOO_LITTLE_BYTES = 1 << 20
"""With less than that, dockerd does not start."""
CLIENTS = "/proc/sys/net/ipv4/ip_local_port_range"
"""A UDP socket at such a port is, as a rule, a client's own: it is told of once it has been seen twice."""


class Guest:
    """Keeps dockerd and talks over the line."""

    def __init__(self, line: int, log: int) -> None:
        """Talk over `line`; dockerd's log goes to `log`."""
        self._line = line
        self._messages = Messages()
        self._read_bytes = 0
        self._diagnosis = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
        self._ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ready.bind(NOTIFY)
        first, last = map(int, Path(CLIENTS).read_text(encoding="ascii").split())
        self._clients = range(first, last + 1)
        self._seen: set[Listener] = set()
        self._said: list[list[Any]] = []
        self._beats = 0
        self._starts = 0
        self._beat_at = 0.0
        self._stopping = False
        self._log = log
        self._is_ready = False
        self._beside = Beside(log)
        self._peers = Peers(self._say)
        self._start()

    def run(self) -> None:
        """Return when dockerd has ended."""
        while True:
            watched = [self._line, self._ready.fileno(), self._ended, *self._peers.descriptors]
            ready = select.select(watched, [], [], LOOK_EVERY_S)[0]
            if self._ready.fileno() in ready and b"READY=1" in self._ready.recv(4096):
                self._is_ready = True
                self._beside.start()
                self._say({"ready": True})
            self._peers.answer(ready)
            if self._line in ready:
                self._hear()
            if self._ended in ready:
                status = self._daemon.wait()
                if self._gave_up_early():
                    os.close(self._ended)
                    self._start()
                    continue
                if not self._stopping:
                    what = "dockerd" if _free_bytes() >= TOO_LITTLE_BYTES else "crowded"
                    self._say({"failed": what, "said": f"dockerd ended with {status}"})
                return
            self._look()

    def _start(self) -> None:
        environment = os.environ | {"NOTIFY_SOCKET": NOTIFY}
        if Path(AUTHORITIES).exists():
            environment["SSL_CERT_FILE"] = AUTHORITIES
        command = ["dockerd", "--config-file", SETTINGS]
        self._daemon = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log
        )
        self._ended = os.pidfd_open(self._daemon.pid)
        self._starts += 1
        self._started_at = time.monotonic()

    def _gave_up_early(self) -> bool:
        """Whether dockerd ended because its containerd was slow, as under emulation on a busy machine."""
        waited = time.monotonic() - self._started_at
        return not (self._is_ready or self._stopping) and waited >= CONTAINERD_WITHIN_S and self._starts < STARTS

    def _hear(self) -> None:
        data = os.read(self._line, 4096)
        self._read_bytes += len(data)
        for message in self._messages.feed(data):
            self._do(message)
        if self._read_bytes >= ACKNOWLEDGED_BYTES:
            self._say({"read": self._read_bytes})
            self._read_bytes = 0

    def _do(self, message: dict[str, Any]) -> None:
        if "datagram" in message:
            self._peers.carry(message)
        elif message.get("do") == "forget":
            self._peers.forget(message["peer"])
        elif message.get("do") == "stop":
            self._stopping = True
            self._daemon.send_signal(signal.SIGTERM)
            signal.alarm(STOP_WITHIN_S)  # then this ends, and the guest with it
        elif message.get("do") == "end program":
            self._beside.end()
        elif message.get("do") == "rest":
            os.sync()  # if its state is lost, nothing of its disk is
            DROP_CACHES.write_text("2", encoding="ascii")  # the fewer files it knows, the fewer are handed over
            self._say({"resting": True})
        elif message.get("do") == "go on":
            time.clock_settime(time.CLOCK_REALTIME, float(message["now"]))
            self._said = []
            self._peers.forget_all()
            self._say({"ready": True})

    def _look(self) -> None:
        if self._beside.has_ended():
            self._say({"ended": "program"})
        now = ask(self._diagnosis)
        found, self._seen = listening(now, self._clients, self._seen), now
        if found != self._said:
            self._said = found
            self._say({"listeners": found})
        if time.monotonic() >= self._beat_at:
            self._beats += 1
            self._beat_at = time.monotonic() + BEAT_EVERY_S
            self._say({"beat": self._beats, "free": _free_bytes()})

    def _say(self, message: dict[str, Any]) -> None:
        left = written(message)
        while left:
            left = left[os.write(self._line, left) :]


def listening(found: set[Listener], clients: range, before: set[Listener]) -> list[list[Any]]:
    """Return the listeners as they go over the line, without sockets that only wait for an answer.

    Those are at ports of `clients`, and were not there `before`.
    """
    servers = (item for item in found if item.protocol == "tcp" or item.port not in clients or item in before)
    return sorted([item.protocol, item.port, item.address] for item in servers)


def _free_bytes() -> int:
    disk = os.statvfs(DISK)
    return disk.f_bavail * disk.f_frsize


def _main() -> None:
    line = os.open(os.environ["LINE"], os.O_RDWR | os.O_NOCTTY)
    log = os.open(os.environ["LOG"], os.O_WRONLY | os.O_NOCTTY)
    try:
        Guest(line, log).run()
    finally:
        for folder in ("/var/lib/docker", "/var/lib/containerd", "/disk"):
            subprocess.run(["busybox", "umount", folder], check=False)
        os.sync()
        if Path("/proc/sysrq-trigger").exists():
            subprocess.run(["busybox", "poweroff", "-f"], check=False)
        sys.exit(1)


if __name__ == "__main__":
    _main()
