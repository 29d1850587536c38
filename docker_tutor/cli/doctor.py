"""`docker-tutor doctor`: what this machine and its engine can do, and what to do about what is missing."""

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import psutil
from rich.table import Table

from docker_tutor import paths
from docker_tutor.classroom.abilities import Ability, abilities
from docker_tutor.cli.console import out, reporting
from docker_tutor.cli.engine import chosen, engine_option
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
        state = engine.status()
        out.print(f"{state.kind}: {state.state}. {state.detail}", markup=False)
        _show([*_machine(), *abilities(engine.capabilities()).rows])
    finally:
        if was_down and engine.disposable:
            engine.down()


def _machine() -> Iterator[Ability]:
    everything = _("everything")
    memory, free = psutil.virtual_memory(), shutil.disk_usage(paths.data_folder()).free
    user = _("root") if os.getuid() == 0 else _("user {uid}").format(uid=os.getuid())
    yield Ability(_("machine"), f"{platform.system()} {platform.release()}, {platform.machine()}", everything)
    yield Ability(_("user"), user, _("a private engine needs root"))
    yield Ability(_("memory free"), f"{human_bytes(memory.available)} / {human_bytes(memory.total)}", everything)
    yield Ability(_("disk free"), human_bytes(free), str(paths.data_folder()))
    yield Ability(_("fetched packages"), human_bytes(_size(paths.cache_folder())), str(paths.cache_folder()))


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def _show(rows: list[Ability]) -> None:
    table = Table("", _("what"), _("here"), _("needed for"))
    for column in table.columns:
        column.overflow = "fold"
    for row in rows:
        table.add_row("✗" if row.advice else "✓", row.what, row.found, row.needed_for)
    out.print(table)
    for row in rows:
        if row.advice:
            out.print(f"✗ {row.what}: {row.advice}", markup=False)
