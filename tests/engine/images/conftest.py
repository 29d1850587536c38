"""An engine with images on it, and a docker command to use them with."""

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from docker import DockerClient

from docker_tutor import images
from docker_tutor.engines.base import Engine
from docker_tutor.engines.private.engine import PrivateEngine

Docker = Callable[..., str]
BUILT = "img-test"


@pytest.fixture
def client(private_engine: PrivateEngine) -> Iterator[DockerClient]:
    connected = DockerClient(base_url=private_engine.address, timeout=900)
    try:
        yield connected
    finally:
        connected.close()


@pytest.fixture
def have(client: DockerClient) -> Callable[[str], images.Provided]:
    """Return a function that has one image on the engine."""
    return lambda name: images.ensure(client, [name], disposable=True)[0]


@pytest.fixture
def docker(private_engine: PrivateEngine, docker_of: Callable[[Engine], Docker]) -> Docker:
    return docker_of(private_engine)


@pytest.fixture
def sh(docker: Docker) -> Callable[[str, str], str]:
    """Return a function that runs a shell script in a container of an image."""
    return lambda image, script: docker("run", "--rm", "--entrypoint", "", image, "sh", "-euc", script)


@pytest.fixture
def build(docker: Docker, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Return a function that builds a Dockerfile; the machine's certificate authorities are its secret `ca`.

    Files that a test puts into `tmp_path / "context"` are the build's context.
    """
    context = tmp_path / "context"
    context.mkdir()
    authorities = ssl.get_default_verify_paths().cafile
    secret = tmp_path / "ca.crt"
    secret.write_bytes(Path(authorities).read_bytes() if authorities else b"")

    def run(dockerfile: str) -> str:
        (tmp_path / "Dockerfile").write_text(dockerfile, encoding="utf-8")
        options = ["--quiet", "--tag", BUILT, "--file", str(tmp_path / "Dockerfile"), "--secret", f"id=ca,src={secret}"]
        docker("build", *options, str(context))
        return BUILT

    yield run
    docker("rmi", "--force", BUILT)


@pytest.fixture
def start(docker: Docker) -> Iterator[Callable[..., str]]:
    """Return a function that starts a container in the background; it is removed at the end."""
    started: list[str] = []

    def run(*words: str) -> str:
        started.append(docker("run", "--detach", *words))
        return started[-1]

    yield run
    if started:
        docker("rm", "--force", "--volumes", *started)
