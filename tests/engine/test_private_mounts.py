"""Starting one private engine leaves the file systems of another's containers where they are."""

from collections.abc import Callable
from pathlib import Path

import pytest

from docker_tutor.engines.private.engine import PrivateEngine

pytestmark = pytest.mark.engine


def test_another_engine_starts_and_a_containers_file_system_stays_mounted(
    private_engine: PrivateEngine,
    engine_of_its_own: Callable[[str], PrivateEngine],
    docker_of: Callable[[PrivateEngine], Callable[..., str]],
) -> None:
    docker = docker_of(private_engine)
    name = docker("run", "--detach", "tiny", "sleep", "600")
    merged = Path(docker("inspect", name, "--format", "{{.GraphDriver.Data.MergedDir}}"))
    assert merged.is_mount()
    engine_of_its_own("m").up()
    assert merged.is_mount()
    docker("rm", "--force", name)
