import datetime as dt
import json
from pathlib import Path

import pytest

from docker_tutor.cli import copy
from docker_tutor.errors import CourseError

NOW = dt.datetime(2026, 3, 1, 9, 5, tzinfo=dt.UTC)


def notebook(text: str = "1 + 1") -> str:
    cell = {
        "cell_type": "code",
        "id": "sum",
        "metadata": {},
        "source": [text],
        "execution_count": 1,
        "outputs": [{"output_type": "stream", "name": "stdout", "text": ["2\n"]}],
    }
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def course(tmp_path: Path) -> Path:
    folder = tmp_path / "notebooks"
    (folder / "files").mkdir(parents=True)
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / "00-start-here.ipynb").write_text(notebook())
    (folder / "01-limits.ipynb").write_text(notebook())
    (folder / "files" / "compose.yaml").write_text("services: {}\n")
    (folder / ".ipynb_checkpoints" / "00-start-here-checkpoint.ipynb").write_text(notebook())
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


def test_the_first_copy_has_every_file_and_no_editor_leftovers(course: Path, work: Path) -> None:
    copied = copy.update(course, work)
    assert copied.added == ("00-start-here.ipynb", "01-limits.ipynb", "files/compose.yaml")
    assert copied.newer == ()
    assert not (work / ".ipynb_checkpoints").exists()


def test_a_copied_notebook_gives_no_answer_away(course: Path, work: Path) -> None:
    copy.update(course, work)
    cell = json.loads((work / "01-limits.ipynb").read_text())["cells"][0]
    assert (cell["outputs"], cell["execution_count"], cell["source"]) == ([], None, ["1 + 1"])


def test_an_updated_course_leaves_the_learners_file_and_says_that_there_is_a_newer_one(
    course: Path, work: Path
) -> None:
    copy.update(course, work)
    (work / "01-limits.ipynb").write_text("mine")
    (course / "01-limits.ipynb").write_text(notebook("2 + 2"))
    copied = copy.update(course, work)
    assert copied == copy.Copied((), ("01-limits.ipynb",))
    assert (work / "01-limits.ipynb").read_text() == "mine"


def test_a_learners_change_alone_is_no_news(course: Path, work: Path) -> None:
    copy.update(course, work)
    (work / "01-limits.ipynb").write_text("mine")
    assert copy.update(course, work) == copy.Copied((), ())


def test_a_new_notebook_is_added_to_an_old_copy(course: Path, work: Path) -> None:
    copy.update(course, work)
    (course / "02-anatomy.ipynb").write_text(notebook())
    assert copy.update(course, work).added == ("02-anatomy.ipynb",)


def test_a_lost_manifest_costs_only_the_news(course: Path, work: Path) -> None:
    copy.update(course, work)
    (work / copy.MANIFEST).write_text("{ broken")
    (work / "01-limits.ipynb").write_text("mine")
    assert copy.update(course, work).added == ()
    assert (work / "01-limits.ipynb").read_text() == "mine"


def test_reset_gives_a_fresh_copy_and_keeps_the_old_one_under_a_dated_name(course: Path, work: Path) -> None:
    copy.update(course, work)
    (work / "01-limits.ipynb").write_text("mine")
    fresh, backup = copy.reset("01", course, work, now=NOW)
    assert backup == work / "01-limits.2026-03-01-0905.ipynb"
    assert backup.read_text() == "mine"
    assert json.loads(fresh.read_text())["cells"][0]["source"] == ["1 + 1"]


def test_reset_twice_in_a_minute_keeps_both_backups(course: Path, work: Path) -> None:
    copy.update(course, work)
    backups = {copy.reset("01-limits.ipynb", course, work, now=NOW)[1] for _time in range(3)}
    assert len(backups) == 3
    assert all(backup is not None and backup.exists() for backup in backups)


def test_reset_of_what_is_not_there_yet_makes_it(course: Path, work: Path) -> None:
    assert copy.reset("00-start-here", course, work, now=NOW) == (work / "00-start-here.ipynb", None)


def test_a_reset_notebook_is_not_reported_as_old_any_more(course: Path, work: Path) -> None:
    copy.update(course, work)
    (course / "01-limits.ipynb").write_text(notebook("2 + 2"))
    copy.reset("01", course, work, now=NOW)
    assert copy.update(course, work).newer == ()


@pytest.mark.parametrize(("name", "said"), [("0", "could be any"), ("09", "No notebook"), ("", "No notebook")])
def test_a_name_that_fits_none_or_several_is_an_error_that_lists_them(
    course: Path, work: Path, name: str, said: str
) -> None:
    with pytest.raises(CourseError, match=said) as failed:
        copy.reset(name, course, work, now=NOW)
    assert "00-start-here, 01-limits" in str(failed.value)


def test_a_checkout_without_notebooks_says_so(tmp_path: Path, work: Path) -> None:
    with pytest.raises(CourseError, match="incomplete"):
        copy.update(tmp_path / "nowhere", work)


def test_a_place_that_cannot_be_written_is_one_clear_error(course: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CourseError, match="could not be written"):
        copy.update(course, tmp_path / "file" / "work")
