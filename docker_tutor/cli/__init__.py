"""The command line: `docker-tutor WORD …`, reached through `./course WORD …` in a checkout."""

import importlib
import os
import sys
from collections.abc import Sequence

import click

from docker_tutor.errors import DockerTutorError
from docker_tutor.i18n import _

__all__ = ["cli", "main"]

_COMMANDS = {
    "start": ("docker_tutor.cli.start", "start"),
    "stop": ("docker_tutor.cli.start", "stop"),
    "doctor": ("docker_tutor.cli.doctor", "doctor"),
    "engine": ("docker_tutor.cli.engine", "engine"),
    "images": ("docker_tutor.cli.images", "images"),
    "shell": ("docker_tutor.cli.shell", "shell"),
    "progress": ("docker_tutor.cli.progress", "progress"),
    "clean": ("docker_tutor.cli.clean", "clean"),
    "grade": ("docker_tutor.cli.grade", "grade"),
    "class": ("docker_tutor.cli.classes", "group"),
    "reset": ("docker_tutor.cli.reset", "reset"),
    "test": ("docker_tutor.cli.test", "test"),
    "dev": ("docker_tutor.cli.dev", "dev"),
}


class _Group(click.Group):
    """Import a command's module when the command is wanted: `docker-tutor stop` needs no JupyterLab."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (click's)
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{name} is no command")
        return _translated(command)


def _translated(command: click.Command) -> click.Command:
    """Put a command's docstring, and those of the commands below it, into the reader's language."""
    command.help = _(command.help) if command.help else None
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        _translated(below)
    return command


@click.command(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--traceback", is_flag=True, help=_("Show where in the code an error came from."))
@click.version_option(package_name="docker-tutor", prog_name="docker-tutor")
@click.pass_context
def cli(context: click.Context, *, traceback: bool) -> None:
    """Docker, learned on a real engine."""
    context.obj = {"traceback": traceback or bool(os.environ.get("DOCKER_TUTOR_TRACEBACK"))}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code: 0 done, 1 an error that is explained, 2 a wrong command line."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        result = cli.main(words, prog_name="docker-tutor", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo(_("Stopped."), err=True)
        return 130
    except (DockerTutorError, OSError) as error:
        if "--traceback" in words or os.environ.get("DOCKER_TUTOR_TRACEBACK"):
            raise
        click.secho(f"{_('Error')}: ", fg="red", bold=True, nl=False, err=True)
        click.echo(str(error), err=True)
        return 1
    return result if isinstance(result, int) else 0
