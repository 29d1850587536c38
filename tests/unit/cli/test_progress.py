"""`docker-tutor progress`, as it is typed."""

import json

import pytest

from docker_tutor import cli, paths
from docker_tutor.classroom import course_map, records
from docker_tutor.cli.console import out


def test_checks_that_held_show_in_the_line_of_their_section(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(out, "width", 200)
    first = course_map.read().sections[0]

    def line() -> str:
        assert cli.main(["progress"]) == 0
        return next(line for line in capsys.readouterr().out.splitlines() if first.title in line)

    assert "open" in line()
    cells = json.loads((paths.checkout() / "notebooks" / f"{first.notebook}.ipynb").read_text(encoding="utf-8"))[
        "cells"
    ]
    claims = next(claims for title, claims, _questions in course_map._sections(cells) if title == first.title)
    for claim in claims:
        records.append(records.Record(first.notebook, "here", "check", claim, held=True))
    assert "done" in line()
    assert f"{len(claims)}/{len(claims)}" in line()
