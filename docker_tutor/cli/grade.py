"""`docker-tutor grade SUBMISSIONS`: run what was handed in, look at what it left on a daemon, and write grades."""

from pathlib import Path

import click

from docker_tutor.cli.console import err, out, reporting
from docker_tutor.i18n import _

__all__ = ["grade"]


@click.command()
@click.argument("submissions", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out",
    "written",
    type=click.Path(dir_okay=False, path_type=Path),
    default="grades.csv",
    show_default=True,
    help=_("Where the grades go: CSV, and beside it JSON and a folder of feedback pages."),
)
@click.option(
    "--secret",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="DOCKER_TUTOR_SECRET_FILE",
    required=True,
    help=_("The file with the course's secret (or DOCKER_TUTOR_SECRET_FILE)."),
)
@click.option("--lab", "number", type=click.IntRange(1, 7), help=_("Grade this lab only."))
@click.option(
    "--mode", default="trusted", show_default=True, help=_("Where submissions run; `trusted` does not isolate.")
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help=_("How many at once, here."))
@click.option("--scheduler", help=_("Grade on the workers of this dask scheduler (tcp://HOST:PORT) instead."))
@click.option(
    "--cell-timeout", type=click.FloatRange(min=1), default=120, show_default=True, help=_("Seconds for a cell.")
)
@click.option(
    "--timeout", type=click.FloatRange(min=1), default=600, show_default=True, help=_("Seconds for a submission.")
)
@click.option("--again", is_flag=True, help=_("Grade everything again, also what is finished."))
def grade(  # noqa: PLR0913 - click hands each option over by name
    submissions: Path,
    written: Path,
    secret: Path,
    number: int | None,
    mode: str,
    workers: int,
    *,
    scheduler: str | None,
    cell_timeout: float,
    timeout: float,
    again: bool,
) -> None:
    """Grade every lab below SUBMISSIONS (STUDENT/lab1/lab1.ipynb …) and write the grades.

    What is finished is not graded again: after an interruption the same command goes on where it was.
    """
    from docker_tutor.grading.classes import Finished, grade_class
    from docker_tutor.grading.jobs import Limits, collect
    from docker_tutor.grading.output import write
    from docker_tutor.grading.seats import place
    from docker_tutor.grading.tickets import Secret

    jobs = collect(submissions, Secret.read(secret), mode=mode, limits=Limits(cell_timeout, timeout), only=number)
    err.print(place(mode).isolation, markup=False)
    finished = Finished(written.with_name(f"{written.stem}-results"))
    if again:
        finished.forget()
    with reporting() as report:
        results = grade_class(jobs, finished, workers=workers, scheduler=scheduler, report=report)
    feedback = write(results, written)
    for each in results:
        line = f"{each.student:20} {each.lab}  {each.points:g} / {each.max_points:g}  {each.note}"
        out.print(line.rstrip(), markup=False)
    out.print(_("Grades: {path}; feedback: {folder}").format(path=written, folder=feedback), markup=False)
