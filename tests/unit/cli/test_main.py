import subprocess
import sys

import click
import pytest

from docker_tutor import cli
from docker_tutor.errors import DockerTutorError


class Broken(DockerTutorError):
    """Raised below."""


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def stop() -> None:
        raise Broken("It is broken. Mend it.")

    monkeypatch.setattr("docker_tutor.cli.start.stop", stop)


def test_an_error_of_ours_is_one_message_on_stderr_and_exit_code_1(
    failing: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["stop"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "Error: It is broken. Mend it.\n"


def test_traceback_shows_where_it_came_from(failing: None) -> None:
    with pytest.raises(Broken):
        cli.main(["--traceback", "stop"])


def test_an_unknown_engine_is_one_clear_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["engine", "status", "--engine", "hovercraft"]) == 1
    assert "hovercraft" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["fly"], ["engine", "fly"], ["start", "--port", "high"]])
def test_a_wrong_command_line_is_exit_code_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == 2
    assert "Usage" in capsys.readouterr().err


@pytest.mark.parametrize("word", sorted(cli._COMMANDS))
def test_every_command_explains_itself(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([word, "--help"]) == 0
    assert "Usage" in capsys.readouterr().out


def test_help_needs_neither_docker_nor_jupyter_nor_pictures() -> None:
    look = "import sys; from docker_tutor.cli import main; main(['stop', '--help']); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert not {"docker", "jupyterlab", "matplotlib", "pandas"} & set(run.stdout.split())
