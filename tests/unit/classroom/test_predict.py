from collections.abc import Callable
from types import SimpleNamespace

import pytest

from docker_tutor.classroom import bars, current, records
from docker_tutor.classroom import check as check_module
from docker_tutor.classroom import predict as module
from docker_tutor.classroom.check import check
from docker_tutor.classroom.predict import Prediction, predict

WIDGET = "application/vnd.jupyter.widget-view+json"


def ask() -> Prediction:
    return predict("It asks for more than it may. It …", "gets an error", "becomes slow", "is killed", answer=2)


def test_without_an_answer_the_lines_of_later_checks_are_the_same(
    place: current.Place, capsys: pytest.CaptureFixture[str]
) -> None:
    ask()
    check("the kernel killed it", found=True)
    assert capsys.readouterr().out == "✓ the kernel killed it\n"


def test_the_next_check_that_holds_says_once_how_the_answer_compares(
    place: current.Place, capsys: pytest.CaptureFixture[str]
) -> None:
    ask().choose(2)
    check("the kernel killed it", found=True)
    check("and counted it", found=True)
    assert capsys.readouterr().out == (
        "✓ the kernel killed it\n  You predicted: becomes slow — it turned out: is killed.\n✓ and counted it\n"
    )


def test_a_right_answer_is_told_so(place: current.Place, capsys: pytest.CaptureFixture[str]) -> None:
    ask().choose(3)
    check("the kernel killed it", found=True)
    assert "You predicted: is killed — and so it is." in capsys.readouterr().out


def test_an_open_question_is_repeated_without_a_verdict(
    place: current.Place, capsys: pytest.CaptureFixture[str]
) -> None:
    predict("How long?", "a second", "a minute").choose(1)
    check("it took a while", found=True)
    assert capsys.readouterr().out == "✓ it took a while\n  You predicted: a second.\n"


def test_an_answer_can_be_changed_until_the_truth_is_out(place: current.Place) -> None:
    question = ask()
    question.choose(1)
    question.choose(3)
    assert question.right() is True
    assert [entry.detail for entry in records.read(place.name)] == ["gets an error", "is killed"]
    assert [entry.held for entry in records.read(place.name)] == [False, True]


def test_the_text_for_readers_without_widgets_is_the_same_whatever_was_answered() -> None:
    question = ask()
    before = question._repr_mimebundle_()["text/plain"]
    question.choose(1)
    assert question._repr_mimebundle_()["text/plain"] == before
    assert before.splitlines() == [
        "It asks for more than it may. It …",
        "  1. gets an error",
        "  2. becomes slow",
        "  3. is killed",
    ]


def test_outside_a_notebook_no_widget_is_made() -> None:
    assert set(ask()._repr_mimebundle_()) == {"text/plain", "text/html"}


def test_in_a_notebook_every_choice_is_a_button_that_a_keyboard_reaches(
    monkeypatch: pytest.MonkeyPatch, place: current.Place
) -> None:
    monkeypatch.setattr(module, "in_kernel", lambda: True)
    question = ask()
    assert WIDGET in question._repr_mimebundle_()
    assert [button.description for button in question._buttons] == [
        "1. gets an error",
        "2. becomes slow",
        "3. is killed",
    ]
    question._buttons[1].click()
    assert question.chosen == 1
    assert question._buttons[1].description == "● 2. becomes slow"
    assert "Noted" in question._reply.value


def test_an_answer_given_after_the_check_is_compared_at_once(
    monkeypatch: pytest.MonkeyPatch, place: current.Place, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "in_kernel", lambda: True)
    question = ask()
    question._repr_mimebundle_()
    check("the kernel killed it", found=True)
    question._buttons[2].click()
    assert "and so it is" in question._reply.value
    assert capsys.readouterr().out == "✓ the kernel killed it\n"


def test_text_of_a_question_is_shown_as_it_is_and_not_taken_for_markup() -> None:
    page = predict("Is <b> & co.", "<i>yes</i>", "no")._repr_mimebundle_()["text/html"]
    assert "Is &lt;b&gt; &amp; co." in page
    assert "&lt;i&gt;yes&lt;/i&gt;" in page


@pytest.mark.parametrize(("choices", "answer"), [(("one",), None), (("one", "two"), 2), (("one", "two"), -1)])
def test_a_question_that_cannot_be_answered_is_refused(choices: tuple[str, ...], answer: int | None) -> None:
    with pytest.raises(ValueError, match="predict"):
        predict("?", *choices, answer=answer)


@pytest.mark.parametrize("number", [0, 4])
def test_there_are_only_the_choices_shown(number: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 3"):
        ask().choose(number)


def test_a_process_without_ipython_is_no_kernel() -> None:
    assert bars.in_kernel() is False


class Events:
    """What IPython keeps of callbacks."""

    def __init__(self) -> None:
        self.callbacks: list[Callable[[SimpleNamespace], None]] = []

    def register(self, event: str, callback: Callable[[SimpleNamespace], None]) -> None:
        assert event == "post_run_cell"
        self.callbacks.append(callback)

    def unregister(self, event: str, callback: Callable[[SimpleNamespace], None]) -> None:
        assert event == "post_run_cell"
        self.callbacks.remove(callback)

    def cell_ran(self, *, success: bool) -> None:
        for callback in list(self.callbacks):
            callback(SimpleNamespace(success=success))


def test_in_a_notebook_the_comparison_comes_after_the_last_check_of_the_cell(
    place: current.Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    events = Events()
    monkeypatch.setattr(check_module, "_cell_events", lambda: events)
    ask().choose(3)
    check("the kernel killed it", found=True)
    events.cell_ran(success=False)
    assert capsys.readouterr().out == "✓ the kernel killed it\n"
    check("the kernel killed it", found=True)
    check("and counted it", found=True)
    events.cell_ran(success=True)
    assert capsys.readouterr().out == (
        "✓ the kernel killed it\n✓ and counted it\n  You predicted: is killed — and so it is.\n"
    )
    assert events.callbacks == []
