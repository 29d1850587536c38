"""Every command of the text that the course is made from is typed in a cell, or replaced for a reason."""

import tomllib
from pathlib import Path
from typing import Any

import nbformat
import pytest

from docker_tutor import paths

FOLDER = Path(__file__).parents[1] / "seed_commands"


def _commands() -> list[Any]:
    files = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml"))}
    return [
        pytest.param(entry, id=f"{chapter}: {entry['seed']}")
        for chapter, content in files.items()
        for entry in content["command"]
    ]


def _cell(notebook: str, identity: str) -> str:
    path = paths.checkout() / "notebooks" / f"{notebook}.ipynb"
    cells = {cell.id: str(cell.source) for cell in nbformat.read(path, as_version=4).cells}
    assert identity in cells, f"{notebook} has no cell {identity}"
    return cells[identity]


def _joined(source: str) -> str:
    """Write continued lines as one, and every stretch of blanks as one."""
    return " ".join(source.replace("\\\n", " ").split())


@pytest.mark.parametrize("entry", _commands())
def test_a_command_of_the_text_is_typed_or_replaced_for_a_reason(entry: dict[str, str]) -> None:
    if "replaced_by" in entry:
        assert entry["why"].strip()
        return
    typed = entry.get("typed", entry["seed"])
    assert _joined(typed) in _joined(_cell(entry["notebook"], entry["cell"]))
    assert typed == entry["seed"] or entry["why"].strip()
