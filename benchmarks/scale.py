"""What grows with the number of objects: the map of networks, the layer explorer, the clean-up, at 1, 10 and 100.

The time for a hundred is compared with ten times the time for ten: more than that would be worse than linear.
"""

import contextlib
import io
import tarfile
import time
from collections.abc import Callable, Iterator

import docker.errors

from benchmarks.rows import Row
from docker_tutor.classroom.room import Room
from docker_tutor.dev import testengine
from docker_tutor.engines.base import Engine
from docker_tutor.images import ensure
from docker_tutor.topics import layers, networks
from docker_tutor.widgets import LayerExplorer

IMAGE = "alpine:3.19"
SIZES = (1, 10, 100)
RUNS = 3


def rows() -> Iterator[Row]:
    """Measure on the test engine."""
    with testengine.running() as engine:
        room = Room("benchmark-scale", engine)
        room.enter()
        with contextlib.closing(room):
            ensure(room.client, [IMAGE], disposable=engine.disposable)
            yield from _compared("map of networks, containers", {size: _topology(room, size) for size in SIZES})
            yield from _compared(
                "layer explorer, files of a layer × 10", {size: _explorer(room, size) for size in SIZES}
            )
        yield from _compared("clean-up, containers and volumes", {size: _clean_up(engine, size) for size in SIZES})


def _compared(what: str, seconds: dict[int, float]) -> Iterator[Row]:
    one, ten, hundred = (seconds[size] for size in SIZES)
    yield Row(f"{what}: 10 ÷ ten times 1", 10 * one, ten, RUNS, at_most=1.0)
    yield Row(f"{what}: 100 ÷ ten times 10", 10 * ten, hundred, RUNS, at_most=1.1)


def _fastest(work: Callable[[], object]) -> float:
    taken = []
    for _run in range(RUNS):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def _topology(room: Room, size: int) -> float:
    network = room.client.networks.create(room.unique("scale"))
    made = [
        room.client.containers.run(
            IMAGE, ["sleep", "600"], detach=True, network=network.name, name=room.unique(f"n{number}")
        )
        for number in range(size)
    ]
    try:
        return _fastest(lambda: networks.topology(room))
    finally:
        for container in made:
            container.remove(force=True)
        network.remove()


def _explorer(room: Room, size: int) -> float:
    name = f"docker-tutor/scale-{size}"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for number in range(10 * size):
            member = tarfile.TarInfo(f"folder-{number % 7}/file-{number}")
            member.size = 1024
            tar.addfile(member, io.BytesIO(bytes(1024)))
    room.api.import_image_from_data(packed.getvalue(), repository=name)
    try:
        return _fastest(lambda: LayerExplorer(layers.analyse(room, name)).page())
    finally:
        with contextlib.suppress(docker.errors.ImageNotFound):
            room.client.images.remove(name, force=True)


def _clean_up(engine: Engine, size: int) -> float:
    taken = []
    for run in range(RUNS):
        room = Room(f"benchmark-clean-{size}-{run}", engine)
        room.enter()
        for number in range(size):
            volume = room.client.volumes.create(room.unique(f"v{number}")).name
            mounts = {volume: {"bind": "/data", "mode": "rw"}}
            room.client.containers.create(IMAGE, ["true"], volumes=mounts, name=room.unique(f"c{number}"))
        began = time.perf_counter()
        room.close()
        taken.append(time.perf_counter() - began)
    return min(taken)
