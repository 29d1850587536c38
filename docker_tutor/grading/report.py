"""How a class did: for each task how many passed, and what went wrong most often, as a picture and as a table."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from docker_tutor.grading.findings import Outcome
from docker_tutor.grading.results import Result
from docker_tutor.i18n import _
from docker_tutor.plots import palette
from docker_tutor.plots.picture import Picture

__all__ = ["TaskReport", "picture", "summary", "write"]


@dataclass(frozen=True, slots=True)
class TaskReport:
    """One task, over the class."""

    lab: str
    task: str
    passed: int
    """Students with all of its points."""
    partly: int
    failed: int
    """Students with none."""
    commonest: str
    """The wrong answer that was given most often: the claims that did not hold, in words."""
    commonest_count: int

    @property
    def students(self) -> int:
        """How many handed it in."""
        return self.passed + self.partly + self.failed


def summary(results: Sequence[Result]) -> list[TaskReport]:
    """Return a report for every task that occurs in `results`, in the labs' order."""
    of_task: dict[tuple[str, str], list[Outcome]] = {}
    for result in results:
        for outcome in result.outcomes:
            of_task.setdefault((result.lab, outcome.task), []).append(outcome)
    return [_task(lab, task, outcomes) for (lab, task), outcomes in of_task.items()]


def picture(reports: Sequence[TaskReport]) -> Picture:
    """Draw a bar for each task: passed, partly, failed."""
    figure = Figure(figsize=(8, 1 + 0.45 * len(reports)), layout="constrained")
    axes = figure.add_subplot()
    names = [f"{each.lab} · {each.task}" for each in reports]
    left = [0] * len(reports)
    parts: Mapping[str, tuple[list[int], str, str]] = {
        _("all points"): ([each.passed for each in reports], palette.GREEN, ""),
        _("some"): ([each.partly for each in reports], palette.SKY, "//"),
        _("none"): ([each.failed for each in reports], palette.FAILED, "xx"),
    }
    for label, (counts, colour, hatch) in parts.items():
        bars = axes.barh(names, counts, left=left, color=colour, hatch=hatch, edgecolor="white", label=label)
        axes.bar_label(bars, [str(count) if count else "" for count in counts], label_type="center")
        left = [before + count for before, count in zip(left, counts, strict=True)]
    axes.invert_yaxis()
    axes.set_xlabel(_("students"))
    figure.legend(loc="outside upper right", ncols=3, frameon=False)
    hardest = min(reports, key=lambda each: each.passed / max(1, each.students), default=None)
    alt = _("For each task, how many students have all, some and none of its points.")
    if hardest:
        words = _("Fewest have all points in {lab} · {task}: {passed} of {students}.")
        alt += " " + words.format(lab=hardest.lab, task=hardest.task, passed=hardest.passed, students=hardest.students)
    return Picture(figure, alt, table(reports))


def table(reports: Sequence[TaskReport]) -> pd.DataFrame:
    """Return the same as a table, with the commonest wrong answer of each task."""
    return pd.DataFrame(
        [
            {
                _("task"): f"{each.lab} · {each.task}",
                _("all points"): each.passed,
                _("some"): each.partly,
                _("none"): each.failed,
                _("commonest wrong answer"): each.commonest,
                _("given by"): each.commonest_count,
            }
            for each in reports
        ]
    )


def write(results: Sequence[Result], out: Path) -> None:
    """Write the picture to `out` (PNG) and the table beside it, as CSV and as a page with both."""
    drawn = picture(summary(results))
    out.write_bytes(drawn.png)
    drawn.table.to_csv(out.with_suffix(".csv"), index=False)
    shown = drawn._repr_mimebundle_()["text/html"].replace("<details>", "<details open>")
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{_("How the class did")}</title>'
    out.with_suffix(".html").write_text(f"{head}\n{shown}\n</html>\n", encoding="utf-8")


def _task(lab: str, task: str, outcomes: Sequence[Outcome]) -> TaskReport:
    passed = sum(not outcome.failed for outcome in outcomes)
    failed = sum(outcome.points == 0 for outcome in outcomes)
    wrong = Counter(tuple(_what_failed(outcome)) for outcome in outcomes if outcome.failed)
    commonest, count = wrong.most_common(1)[0] if wrong else ((), 0)
    partly = len(outcomes) - passed - failed
    return TaskReport(lab, task, passed, partly, failed, "; ".join(commonest), count)


def _what_failed(outcome: Outcome) -> list[str]:
    """Return the claims that do not hold, in words; the first alone where nothing at all does."""
    failed = [finding.claim for finding in outcome.findings if not finding.held]
    if len(failed) == len(outcome.findings):
        return [_("nothing holds, beginning with: {claim}").format(claim=failed[0])]
    return failed
