"""Where an image comes from: here, a registry, a recipe or a bundle, on engines that are ours and that are not."""

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from docker import DockerClient
from docker.errors import ImageNotFound as NotHere

from docker_tutor import images
from docker_tutor.errors import ImageNotFound
from docker_tutor.images import Provided

pytestmark = pytest.mark.engine

Docker = Callable[..., str]
Have = Callable[[str], Provided]


@pytest.fixture
def registry(have: Have, docker: Docker, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Start a registry on the engine and have it asked for every image."""
    have("registry:2")
    # The daemon's own loopback: a registry there needs no TLS, and nobody outside sees it.
    container = docker(
        "run", "--detach", "--network", "host", "--env", "REGISTRY_HTTP_ADDR=127.0.0.1:5017", "registry:2"
    )
    wait = "until wget -qO- http://127.0.0.1:5017/v2/ >/dev/null; do sleep 0.1; done"
    have("alpine:3.19")
    docker("run", "--rm", "--network", "host", "alpine:3.19", "timeout", "30", "sh", "-c", wait)
    monkeypatch.setenv("DOCKER_TUTOR_REGISTRY", "127.0.0.1:5017")
    yield "127.0.0.1:5017"
    docker("rm", "--force", "--volumes", container)


def push(docker: Docker, image: str, name: str) -> None:
    docker("tag", image, name)
    docker("push", "--quiet", name)
    docker("rmi", name)


def test_an_image_that_is_here_is_asked_from_nobody(have: Have) -> None:
    have("alpine:3.19")
    again = have("alpine:3.19")
    assert again.source == "stand-in"
    assert again.seconds < 1


def test_a_configured_registry_comes_before_a_stand_in(
    have: Have, docker: Docker, registry: str, tmp_path: Path
) -> None:
    docker("import", str(_empty_tar(tmp_path)), "img-test-thing")
    push(docker, "img-test-thing", f"{registry}/library/busybox:9")
    provided = have("busybox:9")
    assert provided.source == "registry"
    assert provided.note == ""
    names = docker("images", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    assert "busybox:9" in names
    assert not [name for name in names if name.startswith(registry)]
    docker("rmi", "busybox:9", "img-test-thing")


def test_what_the_registry_has_not_becomes_a_stand_in(have: Have, docker: Docker, registry: str) -> None:
    assert have("busybox:1.37").source == "stand-in"
    docker("rmi", "busybox:1.37", "docker-tutor/stand-in/busybox:1.37")


def test_an_image_that_exists_nowhere_is_one_clear_error(have: Have, registry: str) -> None:
    with pytest.raises(ImageNotFound, match=rf"nobody/nothing:1 cannot be had.*{registry} has no such image"):
        have("nobody/nothing:1")


def test_a_registry_that_refuses_is_asked_once(have: Have, docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_TUTOR_REGISTRY", "127.0.0.1:9")
    with pytest.raises(ImageNotFound, match="does not answer"):
        have("nobody/nothing:1")
    provided = have("busybox:1.36")
    assert provided.source == "stand-in"
    docker("rmi", "busybox:1.36", "docker-tutor/stand-in/busybox:1.36")


def test_no_stand_in_gets_a_real_name_on_an_engine_that_is_not_ours(client: DockerClient, docker: Docker) -> None:
    provided = images.ensure(client, ["busybox:foreign"], disposable=False)[0]
    assert provided.source == "stand-in"
    assert client.images.get("docker-tutor/stand-in/busybox:foreign").id == provided.image_id
    with pytest.raises(NotHere):
        client.images.get("busybox:foreign")
    docker("rmi", "docker-tutor/stand-in/busybox:foreign")


def test_a_bundle_carries_images_to_an_engine_that_has_none(
    client: DockerClient, have: Have, docker: Docker, tmp_path: Path
) -> None:
    have("busybox:bundle")
    before = client.images.get("busybox:bundle").id
    table = images.save_bundle(client, ["busybox:bundle"], tmp_path / "class.tar.gz")
    assert [content.name for content in table] == ["busybox:bundle"]
    docker("rmi", "busybox:bundle", "docker-tutor/stand-in/busybox:bundle")
    provided = images.load_bundle(client, tmp_path / "class.tar.gz", disposable=True)
    assert (provided[0].name, provided[0].source, provided[0].image_id) == ("busybox:bundle", "bundle", before)
    assert docker("run", "--rm", "busybox:bundle", "echo", "there") == "there"
    docker("rmi", "busybox:bundle", "docker-tutor/stand-in/busybox:bundle")


def test_making_leaves_no_container_and_no_name_behind(have: Have, docker: Docker) -> None:
    have("nginx")
    assert docker("ps", "--all", "--quiet", "--filter", "label=docker-tutor.making") == ""
    assert docker("images", "--quiet", "docker-tutor/making") == ""


def _empty_tar(folder: Path) -> Path:
    with tarfile.open(folder / "one.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("file"))
    return folder / "one.tar"
