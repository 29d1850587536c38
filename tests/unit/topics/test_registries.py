"""The certificate authorities of this machine, and the projects' files, come into a room's folder."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from docker_tutor.topics import projects, registries


@pytest.fixture
def room(tmp_path: Path) -> Any:
    return SimpleNamespace(folder=tmp_path)


def test_the_file_that_the_machine_names_is_copied(room: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.pem").write_text("an authority")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "own.pem"))
    assert registries.authorities(room).read_text() == "an authority"


def test_a_file_that_is_not_there_gives_an_empty_one(
    room: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    assert registries.authorities(room).read_bytes() == b""


@pytest.mark.parametrize(("project", "file"), [("go_service", "go.mod"), ("node_service", "package-lock.json")])
def test_a_project_can_be_laid_out_twice(room: Any, project: str, file: str) -> None:
    projects.lay_out(room, project, "here")
    assert (projects.lay_out(room, project, "here") / file).is_file()
