"""`docker-tutor class …`: what a teacher does before and after grading."""

from pathlib import Path

import click

from docker_tutor.cli.console import out
from docker_tutor.i18n import _

__all__ = ["group"]

_SECRET = click.option(
    "--secret",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="DOCKER_TUTOR_SECRET_FILE",
    required=True,
    help=_("The file with the course's secret (or DOCKER_TUTOR_SECRET_FILE)."),
)


@click.group(name="class")
def group() -> None:
    """Prepare a class for the labs, and look at how it did."""


@group.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
def secret(path: Path) -> None:
    """Make the course's secret in the file PATH, for your eyes only; one that is there stays."""
    from docker_tutor.grading.tickets import Secret

    Secret.made(path)
    out.print(_("The secret is in {path}. Keep it: values and grades hang on it.").format(path=path), markup=False)


@group.command()
@click.argument("students", nargs=-1)
@click.option(
    "--roster", type=click.Path(exists=True, dir_okay=False, path_type=Path), help=_("A file, one id a line.")
)
@click.option("--out", "folder", type=click.Path(file_okay=False, path_type=Path), default="tickets", show_default=True)
@_SECRET
def tickets(students: tuple[str, ...], roster: Path | None, folder: Path, secret: Path) -> None:
    """Write a ticket for each of STUDENTS: the line that makes a lab's values theirs."""
    from docker_tutor.grading.tickets import TICKET_FILE, Secret

    course = Secret.read(secret)
    listed = roster.read_text(encoding="utf-8").splitlines() if roster else []
    for student in [*students, *(line.strip() for line in listed if line.strip())]:
        (folder / student).mkdir(parents=True, exist_ok=True)
        (folder / student / TICKET_FILE).write_text(f"{course.ticket(student)}\n", encoding="ascii")
        out.print(f"{folder / student / TICKET_FILE}", markup=False)


@group.command()
@click.argument("number", type=click.IntRange(1, 7))
@click.option(
    "--course",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default="labs",
    show_default=True,
    help=_("The folder in which nbgrader works."),
)
@_SECRET
def sample(number: int, course: Path, secret: Path) -> None:
    """Let a made-up class of ten hand in lab NUMBER: into COURSE/submitted, from COURSE/release."""
    from docker_tutor.grading.sample import hand_in
    from docker_tutor.grading.tasks import lab
    from docker_tutor.grading.tickets import Secret

    for path in hand_in(lab(number), Secret.read(secret), course / "release", course / "submitted"):
        out.print(str(path), markup=False)


@group.command()
@click.argument("results", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out",
    "written",
    type=click.Path(dir_okay=False, path_type=Path),
    default="class.png",
    show_default=True,
    help=_("Where the picture goes; the table is written beside it."),
)
def report(results: Path, written: Path) -> None:
    """Draw how a class did, from the folder RESULTS that `docker-tutor grade` keeps."""
    from docker_tutor.grading.classes import kept
    from docker_tutor.grading.report import summary, write

    known = kept(results)
    write(known, written)
    for each in summary(known):
        line = _("{lab} {task}: {passed} of {students} have all points").format(
            lab=each.lab, task=each.task, passed=each.passed, students=each.students
        )
        wrong = _("; commonest: {what} ({count})").format(what=each.commonest, count=each.commonest_count)
        out.print(line + (wrong if each.commonest else ""), markup=False)
    out.print(_("Picture: {path}").format(path=written), markup=False)
