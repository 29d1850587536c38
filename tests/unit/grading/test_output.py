import csv
import json
from pathlib import Path

from docker_tutor.grading.findings import Found, Outcome
from docker_tutor.grading.output import write
from docker_tutor.grading.results import Result, Trouble
from docker_tutor.grading.tasks import lab


def result(student: str, text: str = "f") -> Result:
    outcomes = []
    trouble = Trouble(3, "error", "<script>alert(1)</script>")
    for task in lab(1).tasks:
        seen = {
            claim.key: Found(claim.key, held=not claim.hidden, found=text, expected="SECRET") for claim in task.claims
        }
        outcomes.append(Outcome.of(task.name, task.claims, seen, hidden=True))
    return Result(student, "lab1", "graded", "", 1.0, tuple(outcomes), (trouble,))


def test_the_table_has_a_row_for_each_submission_and_a_column_for_each_task(tmp_path: Path) -> None:
    write([result("ada"), result("blaise")], tmp_path / "grades.csv")
    with (tmp_path / "grades.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["student"] for row in rows] == ["ada", "blaise"]
    assert (rows[0]["limits"], rows[0]["max_points"]) == ("5", "21")
    assert "limits:killed" in rows[0]["failed"]


def test_the_same_stands_in_the_json(tmp_path: Path) -> None:
    write([result("ada")], tmp_path / "grades.csv")
    assert json.loads((tmp_path / "grades.json").read_text(encoding="utf-8"))[0]["points"] == 17


def test_feedback_does_not_tell_what_a_hidden_check_expected(tmp_path: Path) -> None:
    folder = write([result("ada")], tmp_path / "grades.csv")
    page = (folder / "ada-lab1.html").read_text(encoding="utf-8")
    assert "SECRET" not in page
    assert "✗" in page


def test_what_a_student_wrote_is_text_in_feedback_and_table(tmp_path: Path) -> None:
    folder = write([result("ada", '=HYPERLINK("x")<b>')], tmp_path / "grades.csv")
    page = (folder / "ada-lab1.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "<b>" not in page
