import logging
from pathlib import Path

import pytest

from docker_tutor.classroom import current, records
from docker_tutor.classroom.check import check
from docker_tutor.classroom.records import Record


def test_records_come_back_as_they_were_written_with_the_time_they_were_written() -> None:
    records.append(Record("02-architecture", "02-beef", "check", "runc is gone", held=True, detail="True"))
    records.append(Record("02-architecture", "02-beef", "prediction", "Who is PID 1?", held=None, detail="the shell"))
    first, second = records.read("02-architecture")
    assert (first.text, first.held, second.text, second.held) == ("runc is gone", True, "Who is PID 1?", None)
    assert first.at <= second.at


def test_a_line_cut_off_by_a_crash_is_passed_over() -> None:
    records.append(Record("x", "s", "check", "one", held=True))
    with (records.folder() / "x.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"notebook": "x", "sco\n{"unknown": 1}\n')
    records.append(Record("x", "s", "check", "two", held=True))
    assert [entry.text for entry in records.read("x")] == ["one", "two"]


def test_a_notebook_never_worked_in_has_no_records() -> None:
    assert list(records.read("99-unknown")) == []


def test_a_name_cannot_lead_out_of_the_folder() -> None:
    records.append(Record("../../etc/x", "s", "check", "one", held=True))
    assert [file.name for file in records.folder().iterdir()] == [".._.._etc_x.jsonl"]


def test_a_failure_to_write_never_breaks_a_check_and_is_said_once(
    place: current.Place,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*_arguments: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(records.os, "open", full)
    with caplog.at_level(logging.WARNING):
        check("one", found=True)
        check("two", found=True)
    assert capsys.readouterr().out == "✓ one\n✓ two\n"
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1
    assert "No space left on device" in said[0]


@pytest.mark.parametrize("text", ["“quotes” and\nlines", "한국어"])
def test_any_text_survives(text: str) -> None:
    records.append(Record("x", "s", "check", text, held=True))
    assert [entry.text for entry in records.read("x")] == [text]
