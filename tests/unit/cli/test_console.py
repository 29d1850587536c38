import io

from rich.console import Console

from docker_tutor.cli.console import reporting
from docker_tutor.progress import Step
from docker_tutor.units import MiB


def test_in_a_log_each_task_is_one_line_however_often_it_reports() -> None:
    console = Console(file=io.StringIO(), width=100)
    with reporting(console) as report:
        for done in range(3):
            report(Step("Fetching [x86]", done, 3))
        report(Step("Unpacking"))
    assert console.file.getvalue() == "· Fetching [x86]\n· Unpacking\n"  # type: ignore[attr-defined]


def test_on_a_terminal_a_bar_tells_the_amount_in_its_unit() -> None:
    console = Console(file=io.StringIO(), width=100, force_terminal=True)
    with reporting(console) as report:
        report(Step("Fetching", 52 * MiB, 104 * MiB, "bytes"))
    assert "52 MiB of 104 MiB" in console.file.getvalue()  # type: ignore[attr-defined]


def test_a_task_that_nobody_knows_the_end_of_has_no_amount() -> None:
    console = Console(file=io.StringIO(), width=100, force_terminal=True)
    with reporting(console) as report:
        report(Step("Waiting"))
    assert " of " not in console.file.getvalue()  # type: ignore[attr-defined]


def test_without_bars_a_terminal_gets_lines_too() -> None:
    console = Console(file=io.StringIO(), width=100, force_terminal=True)
    with reporting(console, bars=False) as report:
        report(Step("Fetching", 1, 2))
    assert console.file.getvalue() == "· Fetching\n"  # type: ignore[attr-defined]
