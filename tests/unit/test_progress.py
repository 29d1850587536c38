import pytest

from docker_tutor.progress import Step, silent


def test_a_step_of_which_nobody_knows_the_end_has_no_total() -> None:
    assert Step("Reading").total is None


def test_silence_is_a_report_and_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    silent(Step("Reading", 1, 2, "bytes"))
    assert capsys.readouterr() == ("", "")
