from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from docker_tutor import images, paths
from docker_tutor.cli.named_images import named_in
from docker_tutor.dev.listing import Listing, listed
from docker_tutor.engines.base import Engine


@pytest.fixture(scope="session")
def stocked(engine: Engine) -> Iterator[Engine]:
    """Have the images on the engine that the notebooks name, so that no listing changes for their sake."""
    client = docker.DockerClient(base_url=engine.address)
    try:
        images.ensure(client, list(named_in(paths.checkout() / "notebooks")), disposable=engine.disposable)
        yield engine
    finally:
        client.close()


@pytest.fixture
def before(stocked: Engine) -> Listing:
    """List what there is before the test."""
    return listed(stocked.address)


@pytest.fixture
def notebooks_folder() -> Path:
    """Return the folder of the course's notebooks."""
    return paths.checkout() / "notebooks"
