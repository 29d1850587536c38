"""`docker-tutor progress`: which sections' checks have passed on this machine."""

import click
from rich.table import Table

from docker_tutor.classroom import course_map
from docker_tutor.cli.console import out

__all__ = ["progress"]


@click.command()
def progress() -> None:
    """Show how far you are: the sections whose checks have passed, and how your predictions went."""
    frame = course_map.read().to_frame()
    table = Table(*frame.columns)
    for row in frame.itertuples(index=False):
        table.add_row(*map(str, row))
    out.print(table)
