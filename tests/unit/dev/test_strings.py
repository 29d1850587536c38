import subprocess
import sys
from pathlib import Path

from docker_tutor import paths
from docker_tutor.cli.dev import command_helps
from docker_tutor.dev import strings


def test_the_template_in_the_repository_has_todays_sentences() -> None:
    made = strings.template(paths.checkout(), command_helps())
    assert strings.template_path().read_bytes() == made, "run: ./course dev strings"


def test_every_sentence_is_found_once_with_the_file_that_says_it(tmp_path: Path) -> None:
    package = tmp_path / "docker_tutor"
    package.mkdir()
    (package / "a.py").write_text('print(_("Stopped."))\nprint(_("Gone."))\n')
    (package / "b.py").write_text('\n\nprint(_("Stopped."))\n')
    text = strings.template(tmp_path).decode()
    assert text.count('msgid "Stopped."') == 1
    assert "#: docker_tutor/a.py docker_tutor/b.py" in text


def test_moving_a_line_changes_nothing(tmp_path: Path) -> None:
    package = tmp_path / "docker_tutor"
    package.mkdir()
    (package / "a.py").write_text('_("Stopped.")\n')
    before = strings.template(tmp_path)
    (package / "a.py").write_text('\n\n\n_("Stopped.")\n')
    assert strings.template(tmp_path) == before


def test_the_words_of_help_are_collected_too() -> None:
    assert any("Ctrl-C ends all of it" in sentence for sentence in command_helps())


def test_help_comes_in_the_readers_language(tmp_path: Path) -> None:
    look = (
        "from docker_tutor import i18n; import gettext\n"
        "class Backwards(gettext.NullTranslations):\n"
        "    def gettext(self, message): return message[::-1]\n"
        "i18n._catalogue = lambda language: Backwards()\n"
        "from docker_tutor.cli import main; main(['stop', '--help'])"
    )
    run = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "retfa ro lanimret" in run.stdout
