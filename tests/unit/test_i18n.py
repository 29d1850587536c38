import gettext
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from docker_tutor import i18n


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    i18n._catalogue.cache_clear()
    yield
    i18n._catalogue.cache_clear()


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = Catalog(locale="de")
    catalogue.add("Stopped.", "Beendet.")
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "docker_tutor.mo").write_bytes(buffer.getvalue())
    monkeypatch.setattr(i18n, "LOCALE_FOLDER", tmp_path)


def test_a_sentence_comes_in_the_language_that_was_asked_for(german: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_TUTOR_LANG", "de")
    assert i18n._("Stopped.") == "Beendet."


def test_a_sentence_without_a_translation_stays_english(german: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_TUTOR_LANG", "de")
    assert i18n._("Nobody has translated this.") == "Nobody has translated this."


def test_a_language_that_nobody_has_written_falls_back_to_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_TUTOR_LANG", "tlh")
    assert i18n._("Stopped.") == "Stopped."
    assert isinstance(i18n._catalogue("tlh"), gettext.NullTranslations)
