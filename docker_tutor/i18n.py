"""Reader-facing words go through gettext, so that other languages can follow from the same code."""

import gettext
import os
from functools import cache
from pathlib import Path

__all__ = ["_"]

LOCALE_FOLDER = Path(__file__).parent / "locale"


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    languages = [language] if language else None
    return gettext.translation("docker_tutor", LOCALE_FOLDER, languages, fallback=True)


def _(message: str) -> str:
    """Return `message` in the reader's language: `DOCKER_TUTOR_LANG`, else the locale's, else English."""
    return _catalogue(os.environ.get("DOCKER_TUTOR_LANG", "")).gettext(message)
