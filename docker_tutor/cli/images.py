"""`docker-tutor images list|get`: the images that the course names, here before a journey without a network."""

import click
import docker
from docker.errors import ImageNotFound as NotHere
from rich.table import Table

from docker_tutor import images as provision
from docker_tutor.cli import copy
from docker_tutor.cli.console import out, reporting
from docker_tutor.cli.engine import chosen, engine_option
from docker_tutor.cli.named_images import named_in
from docker_tutor.engines.base import Engine
from docker_tutor.gateway.labels import STAND_IN
from docker_tutor.i18n import _
from docker_tutor.units import human_bytes

__all__ = ["images"]


@click.group()
def images() -> None:
    """List or get the images that the notebooks use."""


@images.command("list")
@engine_option
def list_(kind: str | None) -> None:
    """List the images that the notebooks name, and which of them the engine has."""
    engine = chosen(kind)
    running = engine.status().state == "running"
    table = Table(_("Image"), _("On the engine"), _("Size"), _("Notebooks"))
    for name, notebooks in named_in(copy.course_folder()).items():
        state, size = _look(engine, name) if running else (_("the engine is not running"), "")
        table.add_row(name, state, size, ", ".join(notebooks))
    out.print(table)


@images.command()
@engine_option
@click.argument("names", nargs=-1)
def get(kind: str | None, names: tuple[str, ...]) -> None:
    """Have NAMES (all that the notebooks name, when none is given) on the engine: pulled, or made as stand-ins."""
    engine = chosen(kind)
    wanted = names or tuple(named_in(copy.course_folder()))
    with reporting() as report:
        engine.up(report)
        client = docker.DockerClient(base_url=engine.address)
        try:
            provided = provision.ensure(client, wanted, report, disposable=engine.disposable)
        finally:
            client.close()
    for image in provided:
        out.print(f"{image.name}: {image.source}, {human_bytes(image.size_bytes)}. {image.note}".rstrip(), markup=False)


def _look(engine: Engine, name: str) -> tuple[str, str]:
    client = docker.DockerClient(base_url=engine.address)
    try:
        image = client.images.get(name)
    except NotHere:
        return _("no"), ""
    finally:
        client.close()
    labels = (image.attrs.get("Config") or {}).get("Labels") or {}
    return _("stand-in") if STAND_IN in labels else _("yes"), human_bytes(image.attrs["Size"])
