"""`docker-tutor images list|get|save|load`: the images that the course names, with and without a network."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

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
from docker_tutor.engines.clients import sdk
from docker_tutor.gateway.labels import STAND_IN
from docker_tutor.i18n import _
from docker_tutor.progress import Report
from docker_tutor.units import human_bytes

__all__ = ["images"]

names_argument = click.argument("names", nargs=-1)
file_argument = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.group()
def images() -> None:
    """List, get, save or load the images that the notebooks use."""


@images.command("list")
@engine_option
def list_(kind: str | None) -> None:
    """List the images that the notebooks name, and which of them the engine has."""
    engine = chosen(kind)
    table = Table(_("image"), _("on the engine"), _("size"), _("notebooks"))
    running = engine.status().state == "running"
    with _client(engine) if running else _nobody() as client:
        for name, notebooks in named_in(copy.course_folder()).items():
            state, size = _look(client, name) if client else (_("the engine is not running"), "")
            table.add_row(name, state, size, ", ".join(notebooks))
    out.print(table)


@images.command()
@engine_option
@names_argument
def get(kind: str | None, names: tuple[str, ...]) -> None:
    """Have NAMES (all that the notebooks name, when none is given) on the engine: pulled, or made as stand-ins."""
    with _up(kind) as (engine, client, report):
        provided = provision.ensure(client, _wanted(names), report, disposable=engine.disposable)
    _say(provided)


@images.command()
@engine_option
@file_argument
@names_argument
def save(kind: str | None, file: Path, names: tuple[str, ...]) -> None:
    """Write NAMES (all that the notebooks name, when none is given) into FILE, to be loaded where no network is."""
    with _up(kind) as (engine, client, report):
        wanted = _wanted(names)
        provision.ensure(client, wanted, report, disposable=engine.disposable)
        provision.save_bundle(client, wanted, file, report)
    out.print(_("Written: {file} ({size})").format(file=file, size=human_bytes(file.stat().st_size)), markup=False)


@images.command()
@engine_option
@file_argument
def load(kind: str | None, file: Path) -> None:
    """Put the images of FILE, which `images save` wrote, on the engine."""
    with _up(kind) as (engine, client, report):
        provided = provision.load_bundle(client, file, report, disposable=engine.disposable)
    _say(provided)


def _wanted(names: tuple[str, ...]) -> tuple[str, ...]:
    return names or tuple(named_in(copy.course_folder()))


def _say(provided: Iterable[provision.Provided]) -> None:
    for image in provided:
        out.print(f"{image.name}: {image.source}, {human_bytes(image.size_bytes)}. {image.note}".rstrip(), markup=False)


@contextmanager
def _up(kind: str | None) -> Iterator[tuple[Engine, docker.DockerClient, Report]]:
    engine = chosen(kind)
    with reporting() as report:
        engine.up(report)
        with _client(engine) as client:
            yield engine, client, report


@contextmanager
def _client(engine: Engine) -> Iterator[docker.DockerClient]:
    client = sdk(engine.address)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def _nobody() -> Iterator[None]:
    yield None


def _look(client: docker.DockerClient, name: str) -> tuple[str, str]:
    try:
        image = client.images.get(name)
    except NotHere:
        return _("no"), ""
    labels = (image.attrs.get("Config") or {}).get("Labels") or {}
    return _("stand-in") if STAND_IN in labels else _("yes"), human_bytes(image.attrs["Size"])
