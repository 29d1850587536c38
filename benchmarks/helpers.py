"""What the classroom's helpers cost over the raw SDK and the raw command line, through the same gateway."""

import subprocess
from collections.abc import Iterator

import docker

from benchmarks.rows import Row, side_by_side
from docker_tutor.classroom.room import Room
from docker_tutor.dev import testengine
from docker_tutor.images import ensure

RUNS = 25
IMAGE = "alpine:3.19"


def rows() -> Iterator[Row]:
    """Measure on the test engine."""
    with testengine.running() as engine:
        room = Room("benchmark", engine)
        room.enter()
        try:
            ensure(room.client, [IMAGE], disposable=engine.disposable)
            raw = docker.DockerClient(base_url=room.address)
            yield side_by_side(
                "room.client and room.wait ÷ raw SDK, one container",
                lambda: _by_sdk(raw),
                lambda: _by_room(room),
                runs=RUNS,
                at_most=1.03,
            )
            typed = ("docker", "run", "--rm", "--network=none", IMAGE, "true")
            yield side_by_side(
                "room.cli ÷ the same command typed",
                lambda: subprocess.run(typed, check=True, capture_output=True),
                lambda: room.cli(*typed[1:]),
                runs=RUNS,
                at_most=1.03,
            )
            raw.close()
        finally:
            room.close()


def _by_sdk(client: docker.DockerClient) -> None:
    container = client.containers.create(IMAGE, ["true"], network_mode="none")
    container.start()
    container.wait()
    container.remove()


def _by_room(room: Room) -> None:
    container = room.client.containers.create(IMAGE, ["true"], network_mode="none")
    container.start()
    room.wait.exit(container, within_s=30)
    container.remove()
