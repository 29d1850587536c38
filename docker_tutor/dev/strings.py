"""The template for translators: every sentence that a reader sees, collected by Babel."""

import io
from collections.abc import Iterable
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from docker_tutor import i18n

__all__ = ["template", "template_path"]


def template_path() -> Path:
    """Return where the template is kept."""
    return i18n.LOCALE_FOLDER / "docker_tutor.pot"


def template(checkout: Path, helps: Iterable[str] = ()) -> bytes:
    """Return the template as a file: the same sentences give the same bytes, whatever the day or line numbers.

    `helps` are the sentences that `--help` shows; they stand in docstrings, where Babel does not look.
    """
    catalogue = Catalog(project="docker_tutor", copyright_holder="The docker_tutor authors", charset="utf-8")
    package = checkout / "docker_tutor"
    found = extract_from_dir(package, method_map=[("**.py", "python")], options_map={}, keywords={"_": None})
    for name, _line, message, comments, context in sorted(found, key=lambda entry: (entry[0], entry[1])):
        catalogue.add(message, locations=[(f"docker_tutor/{name}", 0)], auto_comments=comments, context=context)
    for sentence in helps:
        catalogue.add(sentence, locations=[("docker_tutor/cli", 0)])
    buffer = io.BytesIO()
    write_po(buffer, catalogue, omit_header=True, include_lineno=False, sort_output=True, width=120)
    header = (
        "# Sentences of docker_tutor for translators. Made by `docker-tutor dev strings`; not edited by hand.\n"
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n\n'
    )
    return header.encode() + buffer.getvalue().lstrip(b"\n")
