"""Where an engine lacks what a demonstration needs, a sentence stands in the place of the result."""

import pytest
from IPython.utils.text import DollarFormatter

from docker_tutor.classroom.check import check
from docker_tutor.classroom.expectations import at_least
from docker_tutor.classroom.lacking import Lacking, attempt, reason
from docker_tutor.errors import CapabilityMissing, CheckFailed

SENTENCE = "This needs a second engine beside yours."


def _cannot(_room: object) -> int:
    raise CapabilityMissing(SENTENCE)


def test_a_demonstration_that_can_be_carried_out_returns_its_result() -> None:
    assert attempt(lambda room, *, times: room * times, 3, times=2) == 6


def test_the_sentence_is_what_a_cell_shows() -> None:
    found = attempt(_cannot, None)
    assert repr(found) == SENTENCE
    assert repr(found and "a picture") == SENTENCE
    assert repr(found.to_frame()) == SENTENCE


def test_whatever_is_asked_of_it_is_lacking_for_the_same_reason() -> None:
    found = attempt(_cannot, None)
    ended, asked = (found.of(name) for name in ("SIGKILL", "SIGTERM"))
    assert reason(ended.status, asked) == SENTENCE
    assert reason(found.lane("runc")[0].end_us - 5 <= found.start) == SENTENCE
    assert reason({ended.status, "running"}) == SENTENCE
    assert reason(next(span for span in found.lane("HTTP") if not span.label)) == SENTENCE


def test_in_a_typed_command_it_is_nothing() -> None:
    found = attempt(_cannot, None)
    assert DollarFormatter().format("%%bash -s {found.hosts}", found=found) == "%%bash -s "


def test_only_what_is_lacking_has_a_reason() -> None:
    assert reason(0, None, [], "") == ""


def test_a_claim_about_it_is_said_to_be_untried(capsys: pytest.CaptureFixture[str]) -> None:
    found = attempt(_cannot, None)
    check("the program ran", found.seconds, at_least(1))
    check("both run", {found.first, found.second}, {"running"})
    assert capsys.readouterr().out == "– the program ran\n– both run\n"


def test_no_failure_but_a_missing_ability_is_excused() -> None:
    with pytest.raises(ZeroDivisionError):
        attempt(lambda: 1 // 0)
    with pytest.raises(CheckFailed):
        check("it is there", found=not Lacking(SENTENCE) and False)
