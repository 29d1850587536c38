import pytest

from docker_tutor.gateway.standins import stand_in_for


@pytest.mark.parametrize(
    ("name", "stand_in"),
    [
        ("nginx", "docker-tutor/stand-in/nginx:latest"),
        ("docker.io/library/python:3.11-slim", "docker-tutor/stand-in/python:3.11-slim"),
        ("registry.example:5000/web:2", "docker-tutor/stand-in/registry.example-5000/web:2"),
    ],
)
def test_a_stand_in_has_the_name_that_images_gives_it(name: str, stand_in: str) -> None:
    assert stand_in_for(name) == stand_in
