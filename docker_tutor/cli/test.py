"""`docker-tutor test`: what CI runs, in the same order."""

import os
from pathlib import Path

import click

from docker_tutor.cli.console import err, reporting
from docker_tutor.dev import rotation, suite, testengine
from docker_tutor.i18n import _

__all__ = ["test"]


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("part", type=click.Choice([*suite.PARTS, "all"]), default="all")
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
@click.option("--beside", type=click.Path(path_type=Path), hidden=True)
def test(part: str, pytest_arguments: tuple[str, ...], beside: Path | None) -> int:
    """Run the checks and tests, or one PART (what follows it goes to pytest: `engine -k memory`).

    Of what is alike, all parts together try some, others every day; a PART tries all. DOCKER_TUTOR_TESTS=whole (or
    quick) decides otherwise.
    """
    testengine.endable()
    os.environ.setdefault(rotation.VARIABLE, rotation.QUICK if part == "all" else rotation.WHOLE)
    # No bars: pytest writes on the same terminal while the engine is up.
    with reporting(bars=False) as report:
        if beside:
            suite.run_beside(beside, pytest_arguments, say=_say, report=report)
            return 0
        results = suite.run(part, pytest_arguments, say=_say, report=report)
    failed = [result.name for result in results if result.failed]
    if failed:
        err.print(_("Failed: {names}").format(names=", ".join(failed)), markup=False)
    return 1 if failed else 0


def _say(line: str) -> None:
    err.print(line, markup=False)
