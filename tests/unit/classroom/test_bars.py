import pytest

from docker_tutor.classroom import bars
from docker_tutor.classroom.bars import Bar, Board
from docker_tutor.progress import Step
from docker_tutor.units import MiB


class Screen(Board):
    def __init__(self) -> None:
        super().__init__()
        self.shown: list[tuple[str, str]] = []

    def show(self, page: str, text: str) -> None:
        self.shown.append((page, text))


def test_a_step_with_an_amount_is_a_bar_that_a_screen_reader_can_read() -> None:
    screen = Screen()
    Bar(screen)(Step("Fetching packages", 12 * MiB, 104 * MiB, "bytes"))
    page, text = screen.shown[0]
    assert text == "Fetching packages 12 MiB of 104 MiB"
    assert '<progress value="1.25829e+07" max="1.09052e+08" aria-label="Fetching packages"' in page
    assert "role='status'" in page


def test_a_step_without_an_amount_only_says_what_is_done() -> None:
    screen = Screen()
    Bar(screen)(Step("Waiting for <dockerd>"))
    page, text = screen.shown[0]
    assert text == "Waiting for <dockerd>"
    assert "<progress aria-label" in page
    assert "&lt;dockerd&gt;" in page


def test_many_steps_of_one_task_are_drawn_seldom_and_the_last_one_always(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    bar = Bar(screen)
    monkeypatch.setattr(bars.time, "monotonic", lambda: 100.0)
    for done in range(1, 101):
        bar(Step("Unpacking", done, 100))
    assert [text for _page, text in screen.shown] == ["Unpacking 1 of 100", "Unpacking 100 of 100"]
    bar(Step("Patching", 1, 2))
    assert screen.shown[-1][1] == "Patching 1 of 2"


def test_outside_a_notebook_nothing_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    Board().show("<p>page</p>", "text")
    assert capsys.readouterr().out == ""


def test_a_board_is_one_output_that_is_drawn_over(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[dict[str, str]] = []

    class Handle:
        def update(self, bundle: dict[str, str], *, raw: bool) -> None:
            drawn.append(bundle)

    def display(bundle: dict[str, str], *, raw: bool, display_id: bool) -> Handle:
        drawn.append(bundle)
        return Handle()

    monkeypatch.setattr(bars, "in_kernel", lambda: True)
    monkeypatch.setattr("IPython.display.display", display)
    board = Board()
    board.show("<p>1</p>", "one")
    board.show("<p>2</p>", "two")
    assert [bundle["text/plain"] for bundle in drawn] == ["one", "two"]


@pytest.mark.parametrize(("unit", "text"), [("seconds", "Waiting 3.0 s of 30.0 s"), ("steps", "Waiting 3 of 30")])
def test_amounts_are_written_in_their_unit(unit: str, text: str) -> None:
    screen = Screen()
    Bar(screen)(Step("Waiting", 3, 30, unit))
    assert screen.shown[0][1] == text
