import os
import stat
from pathlib import Path

import pytest

from docker_tutor import paths


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CACHE_HOME", "DATA_HOME", "RUNTIME_DIR"):
        folder = tmp_path / name.lower()
        folder.mkdir()
        monkeypatch.setenv(f"XDG_{name}", str(folder))
    monkeypatch.delenv("DOCKER_TUTOR_INSTANCE", raising=False)
    return tmp_path


def test_the_three_folders_lie_where_the_xdg_variables_say(home: Path) -> None:
    assert paths.cache_folder() == home / "cache_home" / "docker-tutor"
    assert paths.data_folder().is_relative_to(home / "data_home" / "docker-tutor")
    assert paths.runtime_folder().is_relative_to(home / "runtime_dir" / "docker-tutor")


def test_two_instances_share_the_cache_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    one = (paths.cache_folder(), paths.data_folder(), paths.runtime_folder())
    monkeypatch.setenv("DOCKER_TUTOR_INSTANCE", "other")
    other = (paths.cache_folder(), paths.data_folder(), paths.runtime_folder())
    assert one[0] == other[0]
    assert one[1] != other[1]
    assert one[2] != other[2]


def test_an_instance_is_named_after_the_checkout_and_stays_short() -> None:
    assert paths.instance() == paths.instance()
    assert len(paths.instance()) == 8


def test_the_runtime_folder_is_its_owners_alone() -> None:
    assert stat.S_IMODE(paths.runtime_folder().stat().st_mode) == 0o700


def test_without_a_runtime_dir_of_the_system_a_short_owner_only_folder_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "not-there"))
    monkeypatch.setattr(paths.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = paths.runtime_folder()
    assert folder.parent == tmp_path / f"docker-tutor-{os.getuid()}"
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700


def test_a_runtime_folder_that_someone_else_made_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    paths.runtime_folder()
    monkeypatch.setattr(paths.os, "getuid", lambda: 4711)
    with pytest.raises(PermissionError, match="belongs to user"):
        paths.runtime_folder()


def test_jupyter_keeps_its_files_with_the_course_and_not_in_the_home_folder(home: Path) -> None:
    variables = paths.jupyter_environment()
    assert {"JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"} <= set(variables)
    for folder in map(Path, variables.values()):
        assert folder.is_relative_to(home)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
