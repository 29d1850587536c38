from pathlib import Path

import pytest

from docker_tutor.classroom import current, records
from docker_tutor.classroom.check import check
from docker_tutor.classroom.expectations import approx, between
from docker_tutor.errors import CheckFailed
from docker_tutor.units import MiB


def test_a_claim_that_holds_is_one_line_without_measured_values(capsys: pytest.CaptureFixture[str]) -> None:
    check("the kernel killed it", found=True)
    check("the limit in force is 64 MiB", 64 * MiB, 64 * MiB)
    check("it used one and a half CPUs", 1.52, between(1.4, 1.6))
    assert capsys.readouterr().out == (
        "✓ the kernel killed it\n✓ the limit in force is 64 MiB\n✓ it used one and a half CPUs\n"
    )


def test_a_claim_that_fails_tells_expected_found_and_where_to_look(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CheckFailed) as failed:
        check("the limit in force is 64 MiB", 128 * MiB, 64 * MiB, look="docker inspect greedy")
    assert str(failed.value) == (
        "✗ the limit in force is 64 MiB\n"
        "  expected: 67108864 (64 MiB)\n"
        "  found:    134217728 (128 MiB)\n"
        "  look:     docker inspect greedy"
    )
    assert capsys.readouterr().out == ""


def test_without_an_expected_value_what_was_found_must_be_true() -> None:
    with pytest.raises(CheckFailed, match=r"expected: true\n  found:    \[\]"):
        check("somebody answers", [])


def test_none_can_be_expected_and_is_not_the_same_as_nothing_expected(capsys: pytest.CaptureFixture[str]) -> None:
    check("there is no limit", None, None)
    assert capsys.readouterr().out == "✓ there is no limit\n"
    with pytest.raises(CheckFailed, match="expected: None"):
        check("there is no limit", 5, None)


def test_something_that_is_no_number_fails_a_claim_about_numbers_instead_of_breaking_it() -> None:
    with pytest.raises(CheckFailed, match="found:    None"):
        check("it used half a CPU", None, approx(0.5))


def test_a_notebook_shows_the_message_of_a_failed_check_and_not_our_internals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_TUTOR_TRACEBACK", raising=False)
    with pytest.raises(CheckFailed) as failed:
        check("water runs uphill", found=False)
    shown = "\n".join(failed.value._render_traceback_())
    assert shown.startswith("CheckFailed: ✗ water runs uphill\n  expected: true")
    assert "check.py" not in shown
    monkeypatch.setenv("DOCKER_TUTOR_TRACEBACK", "1")
    assert "check.py" in "\n".join(failed.value._render_traceback_())


def test_a_failed_check_is_an_assertion_error_too() -> None:
    with pytest.raises(AssertionError):
        check("water runs uphill", found=False)


def test_every_check_of_a_room_is_written_down(place: current.Place) -> None:
    check("it holds", found=True)
    with pytest.raises(CheckFailed):
        check("it does not", 3, 4)
    written = [(entry.text, entry.held, entry.detail, entry.scope) for entry in records.read(place.name)]
    assert written == [("it holds", True, "True", place.scope), ("it does not", False, "3", place.scope)]


def test_outside_a_room_nothing_is_written_down(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check("it holds", found=True)
    assert not list(tmp_path.rglob("*.jsonl"))
    assert capsys.readouterr().out == "✓ it holds\n"
