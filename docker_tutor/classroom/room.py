"""A room: one notebook's scope on an engine."""

import os
import subprocess
import tempfile
import uuid
from functools import cached_property
from pathlib import Path

import docker

from docker_tutor.errors import CommandFailed

__all__ = ["Room", "open_room"]


class Room:
    def __init__(self, name: str, address: str) -> None:
        self.name = name
        self.scope = f"{name[:2]}-{uuid.uuid4().hex[:4]}"
        self.address = address
        self.folder = Path(tempfile.mkdtemp(prefix="room-"))

    @cached_property
    def client(self) -> docker.DockerClient:
        return docker.DockerClient(base_url=self.address)

    @property
    def api(self) -> docker.APIClient:
        return self.client.api

    def unique(self, name: str) -> str:
        return f"{name}-{self.scope[-4:]}"

    def cli(self, *words: str, check: bool = True, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=timeout_s, cwd=self.folder)
        if check and done.returncode:
            raise CommandFailed(done.stderr)
        return done

    def close(self) -> None:
        self.client.close()


def open_room(name: str, images: list[str] | None = None) -> Room:
    return Room(name, os.environ["DOCKER_HOST"])
