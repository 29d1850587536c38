import pytest

from docker_tutor.gateway.made import tag_name


@pytest.mark.parametrize(
    ("repository", "tag", "name"),
    [
        ("web", "", "web:latest"),
        ("docker.io/library/web", "", "web:latest"),
        ("docker.io/someone/web", "1", "someone/web:1"),
        ("registry:5000/web", "", "registry:5000/web:latest"),
        ("registry:5000/web:2", "", "registry:5000/web:2"),
        ("web", "sha256:aa", "web@sha256:aa"),
    ],
)
def test_a_name_has_one_form(repository: str, tag: str, name: str) -> None:
    assert tag_name(repository, tag) == name
