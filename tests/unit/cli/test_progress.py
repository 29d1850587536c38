"""`docker-tutor progress`, as it is typed."""

from pathlib import Path

import pytest

from docker_tutor import cli, paths
from docker_tutor.classroom import course_map, records
from docker_tutor.cli.console import out


def notebook(section: course_map.Section) -> Path:
    return paths.checkout() / "notebooks" / f"{section.notebook}.ipynb"


def test_checks_that_held_show_in_the_line_of_their_section(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(out, "width", 200)
    first = course_map.read().sections[0]

    def line() -> str:
        assert cli.main(["progress"]) == 0
        return next(line for line in capsys.readouterr().out.splitlines() if first.title in line)

    assert "open" in line()
    claims = [claim.text for claim in course_map.claims(notebook(first)) if claim.section == first.title]
    for claim in claims:
        records.append(records.Record(first.notebook, "here", "check", claim, held=True))
    assert "done" in line()
    assert f"{len(claims)}/{len(claims)}" in line()


def test_each_check_of_a_notebook_shows_its_cell_and_what_was_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(out, "width", 300)
    first = course_map.read().sections[0]
    claim = course_map.claims(notebook(first))[0]
    records.append(records.Record(first.notebook, "here", "check", claim.text, held=True, detail="[what] was found"))

    assert cli.main(["progress", first.notebook[:2]]) == 0

    line = next(line for line in capsys.readouterr().out.splitlines() if claim.text in line)
    assert [part.strip() for part in line.strip("│").split("│")] == [
        first.title, str(claim.cell), "✓", claim.text, "[what] was found",
    ]  # fmt: skip


def test_a_notebook_that_does_not_exist_is_said_to_be_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["progress", "99"]) == 1
    assert "No notebook is called 99" in capsys.readouterr().err
