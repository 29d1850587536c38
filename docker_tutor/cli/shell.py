"""`docker-tutor shell`: a terminal in which `docker` reaches the course's engine, in a scope of its own."""

import click

from docker_tutor.cli.console import err, reporting
from docker_tutor.cli.engine import chosen, engine_option
from docker_tutor.i18n import _

__all__ = ["shell"]


@click.command(context_settings={"ignore_unknown_options": True})
@engine_option
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def shell(kind: str | None, command: tuple[str, ...]) -> int:
    """Open your shell (or run COMMAND) on the course's engine; what is made in it goes when it ends."""
    from docker_tutor.classroom import shell as terminal

    engine = chosen(kind)
    if engine.status().state != "running":
        with reporting() as report:
            engine.up(report)
    if not command:
        err.print(_("`docker` reaches the course's engine here. What you make is removed when you leave (exit)."))
    return terminal.run(command, engine=engine)
