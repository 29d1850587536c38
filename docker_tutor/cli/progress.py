"""`docker-tutor progress`: which sections' checks have passed on this machine, and what they found."""

import click
from rich.markup import escape
from rich.table import Table

from docker_tutor.classroom import course_map
from docker_tutor.cli import copy
from docker_tutor.cli.console import out
from docker_tutor.i18n import _

__all__ = ["progress"]


@click.command()
@click.argument("notebook", required=False)
def progress(notebook: str | None) -> None:
    """Show how far you are: the sections whose checks have passed, and how your predictions went.

    With NOTEBOOK (its name or its number), show each of its checks, and what was found on this machine the last time.
    """
    if notebook is not None:
        out.print(_checks(notebook))
        return
    frame = course_map.read().to_frame()
    table = Table(*frame.columns)
    for row in frame.itertuples(index=False):
        table.add_row(*map(str, row))
    out.print(table)


def _checks(notebook: str) -> Table:
    folder = copy.course_folder()
    table = Table(_("section"), _("cell"), "", _("check"), _("found"))
    section = ""
    for claim in course_map.claims(folder / copy.find(notebook, folder)):
        if section and section != claim.section:
            table.add_section()
        mark = {True: "✓", False: "✗", None: "–" if claim.found else ""}[claim.held]
        cells = ("" if section == claim.section else claim.section, str(claim.cell), mark, claim.text, claim.found)
        table.add_row(*map(escape, cells))
        section = claim.section
    return table
