"""How fast the four places take the same bytes, and which of them go to a device.

Sources: `man 2 fsync`; `man 5 proc_pid_io` (`write_bytes`).
"""

import json
import statistics
from dataclasses import dataclass

import pandas as pd
from docker.models.containers import Container

from docker_tutor.classroom.room import Room
from docker_tutor.topics.places import FOLDERS, PLACES, mounted, shell, sleeper
from docker_tutor.units import MiB

__all__ = ["WriteSpeed", "write_speed"]

IMAGE = "python:3.11-slim"
# The clock runs inside the container, around the writing alone: starting a program takes longer than that.
WRITE = """
import json, os, sys, time
path, size = sys.argv[1], int(sys.argv[2])
block = bytes(1 << 20)
def to_device():
    with open("/proc/self/io") as file:
        return int(dict(line.split(": ") for line in file)["write_bytes"])
before = to_device()
with open(path, "wb", buffering=0) as file:
    began = time.perf_counter()
    for _ in range(size >> 20):
        file.write(block)
    os.fsync(file.fileno())
    seconds = time.perf_counter() - began
print(json.dumps([seconds, to_device() - before]))
os.unlink(path)
"""


@dataclass(frozen=True, slots=True)
class WriteSpeed:
    """How fast the four places take the same bytes, each write flushed to its device."""

    size_bytes: int
    seconds: dict[str, tuple[float, ...]]
    """For each place the duration of every repetition."""
    device_bytes: dict[str, int]
    """For each place the bytes of its last repetition that the kernel sent towards a device."""

    def rate_bytes_per_s(self, place: str) -> float:
        """Return the median rate of `place`."""
        return self.size_bytes / statistics.median(self.seconds[place])

    def to_frame(self) -> pd.DataFrame:
        """Return one line per place, rates in MiB per second."""
        return pd.DataFrame(
            {
                "place": list(self.seconds),
                "median_s": [statistics.median(times) for times in self.seconds.values()],
                "MiB_per_s": [self.rate_bytes_per_s(place) / MiB for place in self.seconds],
                "to_device_MiB": [self.device_bytes[place] / MiB for place in self.seconds],
            }
        )


def write_speed(room: Room, size_bytes: int = 32 * MiB, repetitions: int = 3) -> WriteSpeed:
    """Write `size_bytes` to each place `repetitions` times with a final fsync; the clock runs inside the container.

    The 64-MiB tmpfs of the demonstration bounds `size_bytes`.
    """
    seconds: dict[str, list[float]] = {place: [] for place in PLACES}
    device_bytes: dict[str, int] = {}
    with mounted(room) as mounts:
        container = sleeper(room, "writer", mounts, image=IMAGE)
        try:
            shell(container, "mkdir -p /layer")
            for _round in range(repetitions):
                for place, folder in FOLDERS.items():
                    took_s, device_bytes[place] = _timed_write(container, folder, size_bytes)
                    seconds[place].append(took_s)
        finally:
            container.remove(force=True)
    return WriteSpeed(size_bytes, {place: tuple(times) for place, times in seconds.items()}, device_bytes)


def _timed_write(container: Container, folder: str, size_bytes: int) -> tuple[float, int]:
    seconds, device_bytes = json.loads(shell(container, f"python -c '{WRITE}' {folder}/blob {size_bytes}"))
    return float(seconds), int(device_bytes)
