"""The map of the course, from notebooks and records made by hand."""

import json
from pathlib import Path

import pytest

from docker_tutor.classroom import course_map, records
from docker_tutor.classroom.records import Record
from docker_tutor.plots.course_map import course_map as draw

CELLS = [
    ("markdown", "# Title\n\n## 9.1 · First"),
    ("code", 'predict("How?", "so", "thus", answer=0)'),
    ("code", '%%bash\ncheck "not python"'),
    ("code", 'check("it is so", 1, 1)\ncheck("and thus", True)'),
    ("markdown", "## 9.2 · Only prose"),
    ("markdown", "## 9.3 · Last"),
    ("code", 'check("the end", True)'),
]


@pytest.fixture
def notebooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(records, "folder", lambda: tmp_path)
    cells = [{"cell_type": kind, "source": source.splitlines(keepends=True)} for kind, source in CELLS]
    lesson = 'check("a lesson in failing", False)'
    cells.append({"cell_type": "code", "source": [lesson], "metadata": {"tags": ["raises-exception"]}})
    (tmp_path / "09-test.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    return tmp_path


def record(text: str, *, held: bool, kind: str = "check") -> None:
    records.append(Record("09-test", "09-abcd", kind, text, held))  # type: ignore[arg-type]


def states(folder: Path) -> list[tuple[str, str]]:
    return [(section.title, section.state) for section in course_map.read(folder).sections]


def test_a_section_without_claims_is_no_place_on_the_map(notebooks: Path) -> None:
    assert states(notebooks) == [("9.1 · First", "open"), ("9.3 · Last", "open")]


def test_a_section_is_begun_with_one_claim_and_done_with_all(notebooks: Path) -> None:
    record("it is so", held=True)
    assert states(notebooks)[0] == ("9.1 · First", "begun")
    record("and thus", held=True)
    assert states(notebooks)[0] == ("9.1 · First", "done")


def test_the_latest_result_of_a_claim_counts(notebooks: Path) -> None:
    record("the end", held=True)
    record("the end", held=False)
    assert states(notebooks)[1] == ("9.3 · Last", "failed")


def test_a_check_that_fails_on_purpose_is_no_claim(notebooks: Path) -> None:
    assert course_map.read(notebooks).sections[-1].claims == 1


def test_predictions_are_counted_beside_the_claims(notebooks: Path) -> None:
    record("How?", held=True, kind="prediction")
    first = course_map.read(notebooks).sections[0]
    assert (first.questions, first.answered, first.right, first.state) == (1, 1, 1, "begun")


def test_the_map_is_drawn_with_every_section_and_said_in_words(notebooks: Path) -> None:
    record("the end", held=True)
    picture = draw(course_map.read(notebooks))
    assert "2 sections; 1 are done" in picture.alt
    assert len(picture.table) == 2
