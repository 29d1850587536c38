import pytest

from docker_tutor.errors import ImageNotFound
from docker_tutor.images.reference import Reference


@pytest.mark.parametrize(
    ("typed", "host", "path", "tag"),
    [
        ("nginx", "docker.io", "library/nginx", "latest"),
        ("python:3.11-slim", "docker.io", "library/python", "3.11-slim"),
        ("docker.io/library/redis:7", "docker.io", "library/redis", "7"),
        ("bitnami/redis", "docker.io", "bitnami/redis", "latest"),
        ("gcr.io/distroless/static-debian12", "gcr.io", "distroless/static-debian12", "latest"),
        ("localhost/mine:1", "localhost", "mine", "1"),
        ("127.0.0.1:5000/mine", "127.0.0.1:5000", "mine", "latest"),
    ],
)
def test_a_name_is_taken_apart_as_the_cli_does(typed: str, host: str, path: str, tag: str) -> None:
    reference = Reference.parse(typed)
    assert (reference.host, reference.path, reference.tag) == (host, path, tag)


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("nginx", "nginx:latest"),
        ("docker.io/library/nginx:alpine", "nginx:alpine"),
        ("gcr.io/distroless/static-debian12", "gcr.io/distroless/static-debian12:latest"),
        ("alpine@sha256:" + "a" * 64, "alpine@sha256:" + "a" * 64),
    ],
)
def test_a_name_is_written_as_people_type_it(typed: str, written: str) -> None:
    assert str(Reference.parse(typed)) == written


@pytest.mark.parametrize("typed", ["", "Nginx", "nginx:", "UPPER/nginx", "a b", "nginx:tag:tag", "/nginx"])
def test_what_cannot_be_a_name_is_said_to_be_none(typed: str) -> None:
    with pytest.raises(ImageNotFound, match="is not an image's name"):
        Reference.parse(typed)


@pytest.mark.parametrize("typed", ["nginx", "gcr.io/distroless/static-debian12:nonroot", "127.0.0.1:5000/mine:2"])
def test_the_name_of_a_stand_in_is_itself_a_name(typed: str) -> None:
    name = Reference.parse(typed).stand_in
    assert str(Reference.parse(name)) == name
    assert name.startswith("docker-tutor/stand-in/")
