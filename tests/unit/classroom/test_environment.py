import json
import os
import sys
from pathlib import Path

import pytest

from docker_tutor.classroom.environment import Environment, for_commands, write_cli_config
from docker_tutor.engines.base import Tools
from docker_tutor.engines.private.engine import PrivateEngine

SOCKET = "unix:///run/somewhere/docker.sock"


class SomeEngine(PrivateEngine):
    """Only its kind, its address and its programs matter here."""

    kind = "private"
    address = "unix:///run/engine/docker.sock"
    tools = Tools(path=(Path("/opt/engine/bin"),))

    def __init__(self) -> None:
        pass


def test_commands_reach_the_room_and_nothing_of_the_readers_sends_them_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "work")
    monkeypatch.setenv("COMPOSE_FILE", "/home/me/compose.yaml")
    monkeypatch.setenv("PATH", "/usr/bin:/opt/engine/bin:/bin")
    set_to = for_commands(SOCKET, SomeEngine(), tmp_path)
    assert set_to["DOCKER_HOST"] == SOCKET
    assert set_to["DOCKER_CONFIG"] == str(tmp_path)
    assert set_to["DOCKER_TUTOR_UPSTREAM"] == SomeEngine.address
    assert set_to["DOCKER_CONTEXT"] is None
    assert set_to["COMPOSE_FILE"] is None
    assert set_to["BUILDKIT_PROGRESS"] == "plain"
    path = set_to["PATH"].split(os.pathsep)
    assert path[0] == "/opt/engine/bin"
    assert path.count("/opt/engine/bin") == 1
    assert path[-1] == str(Path(sys.executable).parent)


def test_everything_is_given_back_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCKER_CONTEXT", "work")
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    inside = tmp_path / "room"
    inside.mkdir()
    before = dict(os.environ)
    environment = Environment(for_commands(SOCKET, SomeEngine(), tmp_path), inside)
    environment.enter()
    environment.enter()
    assert Path.cwd() == inside
    assert os.environ["DOCKER_HOST"] == SOCKET
    assert "DOCKER_CONTEXT" not in os.environ
    environment.restore()
    environment.restore()
    assert dict(os.environ) == before
    assert Path.cwd() == tmp_path


def test_a_folder_that_has_gone_meanwhile_is_not_gone_back_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone, inside = tmp_path / "gone", tmp_path / "room"
    gone.mkdir()
    inside.mkdir()
    monkeypatch.chdir(gone)
    environment = Environment({}, inside)
    environment.enter()
    gone.rmdir()
    environment.restore()
    assert Path.cwd() == inside
    monkeypatch.chdir(tmp_path)


def test_a_child_gets_the_whole_environment_with_the_changes_applied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEPT", "1")
    monkeypatch.setenv("DOCKER_CONTEXT", "work")
    merged = Environment({"DOCKER_HOST": SOCKET, "DOCKER_CONTEXT": None}, tmp_path).merged()
    assert merged["KEPT"] == "1"
    assert merged["DOCKER_HOST"] == SOCKET
    assert "DOCKER_CONTEXT" not in merged


def test_the_readers_configuration_is_read_and_never_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    settings = {"auths": {"registry": {"auth": "c2VjcmV0"}}, "credsStore": "pass", "currentContext": "work"}
    text = json.dumps(settings)
    (theirs / "config.json").write_text(text, encoding="utf-8")
    monkeypatch.setenv("DOCKER_CONFIG", str(theirs))
    tools = Tools(path=(Path("/opt/engine/bin"),), config={"cliPluginsExtraDirs": ["/opt/engine/plugins"]})
    ours = write_cli_config(tmp_path / "ours", tools)
    written = json.loads((ours / "config.json").read_text(encoding="utf-8"))
    assert written == {"credsStore": "pass", "cliPluginsExtraDirs": ["/opt/engine/plugins"]}
    assert (theirs / "config.json").read_text(encoding="utf-8") == text
    assert ours.stat().st_mode & 0o777 == 0o700


def test_a_configuration_that_cannot_be_read_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.json").write_text("{not json", encoding="utf-8")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    written = (write_cli_config(tmp_path / "ours", Tools()) / "config.json").read_text(encoding="utf-8")
    assert json.loads(written) == {}
