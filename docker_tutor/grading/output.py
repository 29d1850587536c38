"""What a class's results are written as: CSV for a gradebook, JSON for programs, a page of HTML for each student."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from docker_tutor.grading.feedback import page
from docker_tutor.grading.results import Result

__all__ = ["write"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(results: Sequence[Result], out: Path) -> Path:
    """Write `out` (CSV), the same name with `.json`, and a folder of feedback pages; return that folder."""
    _write_csv(results, out)
    everything = [{**asdict(each), "points": each.points, "max_points": each.max_points} for each in results]
    out.with_suffix(".json").write_text(json.dumps(everything, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    folder = out.with_suffix("").with_name(out.stem + "-feedback")
    folder.mkdir(exist_ok=True)
    for result in results:
        (folder / f"{result.student}-{result.lab}.html").write_text(page(result), encoding="utf-8")
    return folder


def _write_csv(results: Sequence[Result], out: Path) -> None:
    tasks = list(dict.fromkeys((each.lab, outcome.task) for each in results for outcome in each.outcomes))
    one_lab = len({lab for lab, _task in tasks}) < 2
    names = [task if one_lab else f"{lab}/{task}" for lab, task in tasks]
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["student", "lab", "status", "points", "max_points", *names, "failed", "note", "seconds"])
        for each in results:
            reached = {(each.lab, outcome.task): f"{outcome.points:g}" for outcome in each.outcomes}
            failed = " ".join(f"{o.task}:{key}" for o in each.outcomes for key in o.failed)
            row = [each.student, each.lab, each.status, f"{each.points:g}", f"{each.max_points:g}"]
            row += [reached.get(task, "") for task in tasks] + [failed, each.note, f"{each.seconds:g}"]
            writer.writerow([_harmless(cell) for cell in row])


def _harmless(text: str) -> str:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
