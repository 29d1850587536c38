"""`docker-tutor reset NOTEBOOK`: a fresh copy, with the old one kept."""

import datetime as dt

import click

from docker_tutor.cli import copy
from docker_tutor.cli.console import out
from docker_tutor.i18n import _

__all__ = ["reset"]


@click.command()
@click.argument("notebook")
def reset(notebook: str) -> None:
    """Give NOTEBOOK (its name or its number) back as the course ships it; yours is kept beside it."""
    now = dt.datetime.now().astimezone()
    fresh, backup = copy.reset(notebook, copy.course_folder(), copy.learner_folder(), now=now)
    if backup is not None:
        out.print(_("Your own is kept as {path}").format(path=backup), markup=False)
    out.print(_("Fresh copy: {path}").format(path=fresh), markup=False)
