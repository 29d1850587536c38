"""`docker-tutor clean`: remove what crashed notebooks left behind, and report what could not be."""

import click

from docker_tutor.classroom import cleaning
from docker_tutor.cli.console import out
from docker_tutor.cli.engine import chosen, engine_option
from docker_tutor.errors import EngineError
from docker_tutor.i18n import _

__all__ = ["clean"]


@click.command()
@engine_option
@click.option("--dry-run", is_flag=True, help=_("Only say what there is to remove."))
def clean(kind: str | None, *, dry_run: bool) -> int:
    """Remove what notebooks whose kernel has gone left behind; nothing of an open one, nothing of others."""
    try:
        engine = chosen(kind)
    except EngineError:
        # Folders can be tidied without an engine; but one that was asked for by name has to be there.
        if kind is not None:
            raise
        engine = None
    done = cleaning.clean(engine, dry_run=dry_run)
    for line in done.lines():
        out.print(line, markup=False)
    return 1 if done.left_over else 0
