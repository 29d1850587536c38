"""`docker-tutor engine up|down|status|logs`: the daemon behind the course, by hand."""

import os

import click

from docker_tutor import engines
from docker_tutor.cli.console import err, out, reporting
from docker_tutor.engines import spare
from docker_tutor.engines.base import Engine
from docker_tutor.errors import EngineNotFound
from docker_tutor.i18n import _
from docker_tutor.units import human_bytes

__all__ = ["chosen", "engine", "engine_option"]

engine_option = click.option(
    "--engine",
    "kind",
    metavar="KIND",
    help=_("Which kind of engine: existing, private, uml (default: $DOCKER_TUTOR_ENGINE, else the first that works)."),
)


def chosen(kind: str | None) -> Engine:
    """Resolve the engine and let everything that this command starts use the same. Raises EngineError."""
    found = engines.resolve(kind)
    os.environ["DOCKER_TUTOR_ENGINE"] = found.kind
    return found


@click.group()
def engine() -> None:
    """Look after the Docker Engine behind the course."""


@engine.command()
@engine_option
def up(kind: str | None) -> None:
    """Bring the engine up; at once, if it already is."""
    found = chosen(kind)
    spare.remove_abandoned()
    with reporting() as report:
        found.up(report)
    state = found.status()
    out.print(f"{state.kind}: {state.state}. {state.detail}", markup=False)


@engine.command()
@engine_option
@click.option("--purge", is_flag=True, help=_("Remove its data too: images, containers, volumes, build cache."))
def down(kind: str | None, *, purge: bool) -> None:
    """Stop what `up` started: the daemon, its containers, mounts and helpers."""
    found = chosen(kind)
    spare.remove_all()
    if not found.disposable:
        err.print(_("This engine ({kind}) is not the course's: it is left as it is.").format(kind=found.kind))
        return
    found.down(purge=purge)
    state = found.status()
    out.print(f"{state.kind}: {state.state}. {state.detail}", markup=False)


@engine.command()
@engine_option
def pack(kind: str | None) -> None:
    """Switch the virtual machine off and keep its disk as one file without holes, to be copied with its folder."""
    from docker_tutor.engines.vm.engine import VmEngine

    found = chosen(kind)
    if not isinstance(found, VmEngine):
        raise EngineNotFound(_("Only a virtual machine has a disk to pack: --engine uml."))
    file = found.pack()
    if file is not None:
        out.print(_("{size} in {file}").format(size=human_bytes(file.stat().st_size), file=file), markup=False)


@engine.command()
@engine_option
def status(kind: str | None) -> None:
    """Say which engine the course uses and in what state it is, without changing it."""
    state = chosen(kind).status()
    out.print(f"{state.kind}: {state.state}. {state.detail}", markup=False)
    for name, value in (("address", state.address), ("pid", state.pid), ("version", state.version)):
        if value is not None:
            out.print(f"  {name:8} {value}", markup=False)
    for port in state.ports:
        reached = _("at 127.0.0.1") if port.reached else port.note
        out.print(f"  {port.protocol:8} {port.port} {reached}", markup=False)


@engine.command()
@engine_option
def logs(kind: str | None) -> None:
    """Print the daemon's own log."""
    click.echo(chosen(kind).logs(), nl=False)
