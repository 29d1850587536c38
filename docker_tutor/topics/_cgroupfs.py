"""Where the kernel keeps a container's limits, in version 1 and version 2 of control groups, and how to read them.

Every function takes the folder that the tree is mounted on, so that a tree of plain files serves as well.
The module needs nothing but the standard library: its text is also sent into a container that
watches the tree from beside the containers it measures (`cgroups_observer`).
Source: `man 7 cgroups`; Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/ in the kernel.
"""

import json
import os
import re
import select
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

MOUNT = Path("/sys/fs/cgroup")
UNLIMITED_V1 = 1 << 62
"""Version 1 writes "no memory limit" as the largest number of whole pages; anything near it means none."""


class Place(NamedTuple):
    """Where one quantity stands in either version; an empty name: that version does not have it."""

    controller: str
    v1: str
    v2: str


PLACES: dict[str, Place] = {
    "memory.limit": Place("memory", "memory.limit_in_bytes", "memory.max"),
    "memory.reservation": Place("memory", "memory.soft_limit_in_bytes", "memory.low"),
    "memory.usage": Place("memory", "memory.usage_in_bytes", "memory.current"),
    "memory.swap": Place("memory", "memory.memsw.limit_in_bytes", "memory.swap.max"),
    "memory.swappiness": Place("memory", "memory.swappiness", ""),
    "memory.events": Place("memory", "memory.oom_control", "memory.events"),
    "cpu.quota": Place("cpu", "cpu.cfs_quota_us", "cpu.max"),
    "cpu.period": Place("cpu", "cpu.cfs_period_us", "cpu.max"),
    "cpu.weight": Place("cpu", "cpu.shares", "cpu.weight"),
    "cpu.usage": Place("cpuacct", "cpuacct.usage", "cpu.stat"),
    "cpu.stat": Place("cpu", "cpu.stat", "cpu.stat"),
    "pids.limit": Place("pids", "pids.max", "pids.max"),
    "pids.usage": Place("pids", "pids.current", "pids.current"),
    "pids.events": Place("pids", "pids.events", "pids.events"),
}

NOT_EVERYWHERE = frozenset({"memory.swap", "memory.swappiness"})
"""What a kernel may leave out: without swap accounting the first, in version 2 the second."""


def version(root: Path = MOUNT) -> int:
    """Say which version limits the containers: 2 when the root of the tree is version 2's own, else 1."""
    return 2 if (root / "cgroup.controllers").exists() else 1


def base(controller: str, root: Path = MOUNT) -> Path:
    """Return the folder below which `controller` keeps its groups."""
    return root if version(root) == 2 else root / controller


def _usual(container_id: str) -> Iterator[str]:
    yield f"docker/{container_id}"
    yield f"system.slice/docker-{container_id}.scope"


def folder(controller: str, container_id: str, root: Path = MOUNT) -> Path | None:
    """Find the container's group: in the usual places of both cgroup drivers, else anywhere below. None: not there."""
    start = base(controller, root)
    for name in _usual(container_id):
        if (start / name).is_dir():
            return start / name
    for parent, names, _files in os.walk(start):
        for name in names:
            if container_id in name:
                return Path(parent) / name
    return None


def candidate(quantity: str, container_id: str, root: Path = MOUNT) -> Path | None:
    """Return where the file of `quantity` would be; None when the group or, in this version, the file is not there."""
    place = PLACES[quantity]
    name = place.v2 if version(root) == 2 else place.v1
    group = folder(place.controller, container_id, root) if name else None
    return group / name if group else None


def file(quantity: str, container_id: str, root: Path = MOUNT) -> Path | None:
    """Return the file that holds `quantity` for the container; None when the group or the file is not there."""
    path = candidate(quantity, container_id, root)
    return path if path and path.exists() else None


def flat(text: str) -> dict[str, int]:
    """Read a file of `name number` lines, such as `cpu.stat`, `memory.events` and `memory.oom_control`."""
    return {name: int(number) for name, number in re.findall(r"^(\w+) (\d+)$", text, re.MULTILINE)}


def number(quantity: str, text: str) -> int | None:
    """Read one quantity from its file's text, in the file's own unit; None when it says that there is no limit.

    `cpu.usage` comes in nanoseconds whatever the version, `cpu.quota` and `cpu.period` in microseconds.
    """
    words = text.split()
    if quantity == "cpu.usage":
        return int(words[0]) if len(words) == 1 else flat(text)["usage_usec"] * 1000
    if quantity == "cpu.period":
        return int(words[-1])
    if words[0] == "max":
        return None
    value = int(words[0])
    if value < 0 or value > UNLIMITED_V1:
        return None
    return value


def throttling(text: str) -> tuple[int, int, float]:
    """Read `cpu.stat`: periods that have passed, periods in which it was throttled, seconds it was kept waiting."""
    found = flat(text)
    waited_s = found["throttled_usec"] / 1e6 if "throttled_usec" in found else found.get("throttled_time", 0) / 1e9
    return found.get("nr_periods", 0), found.get("nr_throttled", 0), waited_s


class Watch:
    """Reads the groups of running containers at even intervals, and sends each of them small requests meanwhile."""

    def __init__(self, containers: dict[str, str], quantities: list[str], ports: dict[str, int], root: str) -> None:
        self.containers, self.quantities, self.root = containers, quantities, Path(root)
        self.files: dict[str, dict[str, Path]] = {}
        self.sockets = {name: socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for name in ports}
        for name, one in self.sockets.items():
            one.connect(("127.0.0.1", ports[name]))
        self.readings: list[tuple[str, float, dict[str, str]]] = []
        self.sent: dict[int, float] = {}
        self.replies: list[tuple[str, float, float]] = []

    def find(self) -> bool:
        """Look for the groups that are not there yet; say whether all are. The files of a new group come one by one."""
        for name in set(self.containers) - set(self.files):
            paths = {q: path for q in self.quantities if (path := candidate(q, self.containers[name], self.root))}
            if all(q in NOT_EVERYWHERE or (q in paths and paths[q].exists()) for q in self.quantities):
                self.files[name] = paths
        return len(self.files) == len(self.containers)

    def tick(self, number: int) -> bool:
        """Read every file once and send every request; False when a group has gone away with its container."""
        for name, files in self.files.items():
            texts = {}
            for quantity, path in files.items():
                try:
                    texts[quantity] = path.read_text()
                except OSError:
                    if quantity not in NOT_EVERYWHERE:
                        return False
            self.readings.append((name, time.monotonic(), texts))
        for place, one in enumerate(self.sockets.values()):
            key = number * len(self.sockets) + place
            self.sent[key] = time.monotonic()
            try:
                one.send(str(key).encode())
            except ConnectionError:
                del self.sent[key]  # nobody listens yet
        return True

    def receive(self, until: float) -> None:
        """Stamp replies as they come. The next request goes out on time, answered or not: a slow answer hides none."""
        left = 1.0
        while left > 0:
            left = max(0.0, until - time.monotonic())  # once in any case: who is late would never look
            ready = select.select(list(self.sockets.values()), [], [], left)[0]
            now = time.monotonic()
            for name, one in self.sockets.items():
                if one in ready:
                    try:
                        key = int(one.recv(32))
                    except ConnectionError:
                        continue  # nobody listens yet
                    if key in self.sent:
                        self.replies.append((name, self.sent[key], now - self.sent.pop(key)))

    def run(self, interval_s: float, for_s: float, patience_s: float) -> dict[str, Any]:
        """Wait up to `patience_s` for the groups and for a first reply of each, then watch for `for_s`."""
        due = time.monotonic()
        finish, measuring, number = due + patience_s, False, 0
        while time.monotonic() < finish:
            if not measuring and self.find() and {name for name, _sent, _took in self.replies} == set(self.sockets):
                finish, measuring = time.monotonic() + for_s, True
                self.readings, self.sent, self.replies = [], {}, []
            if not self.tick(number):
                break
            number, due = number + 1, due + interval_s
            self.receive(due)
        if self.sockets:
            self.receive(time.monotonic() + 2 * max((took for *_rest, took in self.replies), default=0.0))
        paths = {
            name: {q: str(path.relative_to(self.root)) for q, path in fs.items()} for name, fs in self.files.items()
        }
        return {"version": version(self.root), "paths": paths, "readings": self.readings, "replies": self.replies}


def main(plan: dict[str, Any]) -> None:
    """Carry out a plan written as JSON: one line when the watch begins, one with all it saw when it ends."""
    watch = Watch(plan["containers"], plan["quantities"], plan["ports"], plan["root"])
    sys.stdout.write("watching\n")
    sys.stdout.flush()
    sys.stdout.write(json.dumps(watch.run(plan["interval_s"], plan["for_s"], plan["patience_s"])) + "\n")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
