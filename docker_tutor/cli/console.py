"""What the command line writes on: two consoles, and bars for whatever takes long."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from docker_tutor.progress import Report, Step
from docker_tutor.units import human_bytes, human_seconds

__all__ = ["err", "out", "reporting"]

out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)
"""What a command is asked for goes to standard output."""

err = Console(stderr=True, highlight=False, soft_wrap=True)
"""How far it is, and what went wrong, goes to standard error."""


class _Amount(ProgressColumn):
    def render(self, task: Task) -> Text:
        """Write the amount in the step's own unit."""
        done, total, unit = task.completed, task.total, task.fields.get("unit", "steps")
        if not total:
            return Text("")
        if unit == "bytes":
            return Text(f"{human_bytes(done)} of {human_bytes(total)}")
        if unit == "seconds":
            return Text(f"{human_seconds(done)} of {human_seconds(total)}")
        return Text(f"{done:.0f} of {total:.0f}")


@contextmanager
def reporting(console: Console = err, *, bars: bool = True) -> Iterator[Report]:
    """Show steps as bars on a terminal, and as one line for each new task elsewhere (a log, CI) or without `bars`."""
    if not (bars and console.is_terminal):
        yield _lines(console)
        return
    columns = (SpinnerColumn(finished_text="✓"), TextColumn("{task.description}"), BarColumn(24), _Amount())
    with Progress(*columns, TimeElapsedColumn(), console=console) as drawn:
        yield _bars(drawn)


def _lines(console: Console) -> Report:
    seen: set[str] = set()

    def line(step: Step, /) -> None:
        if step.task not in seen:
            seen.add(step.task)
            console.print(f"· {step.task}", markup=False)

    return line


def _bars(bars: Progress) -> Report:
    known: dict[str, Task] = {}

    def bar(step: Step, /) -> None:
        if step.task not in known:
            identity = bars.add_task(step.task, total=step.total, unit=step.unit)
            known[step.task] = next(task for task in bars.tasks if task.id == identity)
        bars.update(known[step.task].id, completed=step.done, total=step.total, unit=step.unit)

    return bar
