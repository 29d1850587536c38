"""`docker-tutor doctor`: what this machine and its engine can do, and what to do about what is missing."""

import os
import platform
import shutil

import click
import psutil
from rich.table import Table

from docker_tutor import paths
from docker_tutor.cli.console import out, reporting
from docker_tutor.cli.engine import chosen, engine_option
from docker_tutor.cli.findings import Finding, judge
from docker_tutor.i18n import _
from docker_tutor.units import human_bytes

__all__ = ["doctor"]


@click.command()
@engine_option
def doctor(kind: str | None) -> None:
    """Show what the machine and its engine can do. Brings the engine up for it, and down again if it was down."""
    engine = chosen(kind)
    was_down = engine.status().state != "running"
    try:
        with reporting() as report:
            engine.up(report)
        state, capabilities = engine.status(), engine.capabilities()
        out.print(_("Engine: {kind}. {detail}").format(kind=state.kind, detail=state.detail), markup=False)
        out.print(_table([*_machine(), *judge(capabilities)]))
    finally:
        if was_down and engine.disposable:
            engine.down()


def _machine() -> list[Finding]:
    free = shutil.disk_usage(paths.data_folder()).free
    memory = psutil.virtual_memory()
    return [
        Finding(_("Machine"), f"{platform.system()} {platform.release()}, {platform.machine()}"),
        Finding(_("User"), _("root") if os.getuid() == 0 else _("user {uid}").format(uid=os.getuid())),
        Finding(_("Memory free"), f"{human_bytes(memory.available)} / {human_bytes(memory.total)}"),
        Finding(_("Disk free"), f"{human_bytes(free)} ({paths.data_folder()})"),
        Finding(_("Cache"), str(paths.cache_folder())),
    ]


def _table(findings: list[Finding]) -> Table:
    table = Table(show_lines=False, expand=False)
    table.add_column("")
    table.add_column(_("What"), no_wrap=True)
    table.add_column(_("Found"), overflow="fold")
    table.add_column(_("What to do"), overflow="fold")
    for finding in findings:
        table.add_row("✗" if finding.advice else "✓", finding.what, finding.found, finding.advice)
    return table
