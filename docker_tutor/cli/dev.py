"""`docker-tutor dev check|refresh|strings`: for those who write the course."""

from collections.abc import Iterator
from contextlib import closing

import click

from docker_tutor import engines, paths
from docker_tutor.cli.console import err, out
from docker_tutor.cli.named_images import named_in
from docker_tutor.dev import refresh as refreshing
from docker_tutor.dev import strings as words
from docker_tutor.dev import suite, testengine
from docker_tutor.i18n import _
from docker_tutor.units import human_bytes

__all__ = ["dev"]


@click.group()
def dev() -> None:
    """Check the code, refresh stored outputs, collect strings to translate."""


@dev.command()
def check() -> int:
    """Run the checks that need no engine and no minute: lint, format, types, arrows, house rules."""
    results = suite.run("lint", (), say=lambda line: err.print(line, markup=False))
    return 1 if any(result.failed for result in results) else 0


@dev.command()
@click.argument("notebooks", nargs=-1)
@click.option("--varying", is_flag=True, help="Store new outputs of the cells whose output varies, too.")
def refresh(notebooks: tuple[str, ...], *, varying: bool) -> None:
    """Execute NOTEBOOKS (all, when none is named) and store outputs; what has not changed stays as it is."""
    testengine.endable()
    for path in refreshing.named(notebooks):
        err.print(_("Executing {name} …").format(name=path.name), markup=False)
        changed = refreshing.refresh(path, varying=varying)
        said = _("changed cells: {cells}").format(cells=", ".join(changed)) if changed else _("nothing changed")
        out.print(f"{path.name}: {said}", markup=False)


@dev.command()
@click.argument("notebooks", nargs=-1)
@click.option("--engine", "kind", type=click.Choice(["uml", "qemu"]), default="uml", show_default=True)
def sandboxed(notebooks: tuple[str, ...], kind: str) -> int:
    """Run NOTEBOOKS in a sandbox like Binder's, on a virtual machine that was prepared before. Needs Linux and root."""
    from docker_tutor.dev import sandbox
    from docker_tutor.engines.clients import sdk

    testengine.endable()
    found = refreshing.named(notebooks)
    stems = {path.stem for path in found}
    wanted = [name for name, where in named_in(paths.checkout() / "notebooks").items() if stems & set(where)]
    with sandbox.prepare(wanted, found, lambda line: err.print(f"· {line}", markup=False), kind) as home:
        engine = engines.resolve("private")
        was_up = engine.status().state == "running"
        engine.up()
        client = sdk(engine.address, timeout=3600)
        try:
            return sandbox.run_notebooks(client, home, found, lambda text: click.echo(text, nl=False), kind).failed
        finally:
            client.close()
            if not was_up:
                engine.down()


@dev.command()
@click.argument("notebooks", nargs=-1)
def binder(notebooks: tuple[str, ...]) -> int:
    """Let repo2docker build this checkout as Binder does, and run NOTEBOOKS (00) in a session as strict. Needs root.

    What it cannot show is conda, which PyPI stands in for, and all that Ubuntu's own base image has.
    """
    from docker_tutor.dev import binder as building
    from docker_tutor.engines.clients import sdk

    testengine.endable()
    found = refreshing.named(notebooks or ("00",))
    with testengine.running(kind="private") as engine, closing(sdk(engine.address, timeout=3600)) as client:
        try:
            building.provide_base(client, lambda line: err.print(f"· {line}", markup=False))
            said = building.build(engine, lambda line: err.print(line, markup=False, highlight=False))
            outcome = building.run_session(client, found, lambda text: click.echo(text, nl=False))
            for step in building.timed(said):
                if step.seconds >= 1:
                    out.print(f"{step.seconds:6.1f} s  {step.words[:90]}", markup=False, highlight=False)
            out.print(f"size of the image: {human_bytes(building.size_bytes(client))}", markup=False)
        finally:
            building.remove(client)
    return outcome.failed


@dev.command()
@click.argument("labs", nargs=-1, type=click.IntRange(1, 7))
@click.option("--mode", default="trusted", show_default=True, help="Where our own way runs submissions.")
def grades(labs: tuple[int, ...], mode: str) -> int:
    """Let the made-up class hand in LABS (all, when none is named), grade it with nbgrader and with ours, compare."""
    from docker_tutor.dev.bothways import compare

    testengine.endable()
    differ = 0
    with testengine.running():
        for each in compare(labs or range(1, 8), mode):
            points = " ".join(f"{student} {reached:g}" for student, reached in each.points.items())
            count = f"{each.grades - len(each.differences)} of {each.grades} grades are the same"
            times = f"nbgrader {each.theirs_s:.0f} s, ours {each.ours_s:.0f} s"
            out.print(f"{each.lab}: {count}; {times}; {points}", markup=False)
            for other in each.differences:
                told = f"nbgrader {other.theirs}, ours {other.ours}"
                out.print(f"  {other.student} {other.task}: {told}", markup=False)
            differ += len(each.differences)
    return 1 if differ else 0


@dev.command()
def strings() -> None:
    """Collect every sentence a reader sees into docker_tutor/locale/docker_tutor.pot."""
    target = words.template_path()
    target.write_bytes(words.template(paths.checkout(), command_helps()))
    out.print(str(target), markup=False)


def command_helps() -> list[str]:
    """Return what `--help` says about each command: it is read from docstrings, and translated when it is shown."""
    from docker_tutor.cli import cli

    return sorted(set(_helps(cli, click.Context(cli))))


def _helps(command: click.Command, context: click.Context) -> Iterator[str]:
    if command.help:
        yield command.help
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from _helps(below, context)
