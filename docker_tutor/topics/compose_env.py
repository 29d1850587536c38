"""Which value of a variable a program sees, when it is set in several places at once.

Source: Docker's documentation of Compose, "Environment variables precedence"; each case is tried.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _
from docker_tutor.topics import builds
from docker_tutor.topics.probes import IMAGE

__all__ = ["Case", "Precedence", "precedence"]

VARIABLE = "GREETING"
FILE = """services:
  probe:
    image: {image}
    network_mode: none
"""
ENV_FILE = "    env_file: probe.env\n"
LITERAL = f"    environment:\n      {VARIABLE}: environment\n"
FILLED_IN = f"    environment:\n      {VARIABLE}: ${{{VARIABLE}}}\n"


@dataclass(frozen=True, slots=True)
class Case:
    """One project: where the variable is set, and what the program sees. Every place sets its own name."""

    places: tuple[str, ...]
    seen: str


@dataclass(frozen=True, slots=True)
class Precedence:
    """All cases, each with one place more than one before it."""

    cases: tuple[Case, ...]

    @property
    def seen(self) -> list[str]:
        """What the program saw in each case."""
        return [case.seen for case in self.cases]

    def to_frame(self) -> pd.DataFrame:
        """Return one line per case."""
        rows = [(" + ".join(case.places), case.seen) for case in self.cases]
        return pd.DataFrame(rows, columns=[_("set in"), _("the program sees")])


def precedence(room: Room) -> Precedence:
    """Set one variable in more and more places, and let a program say each time what it sees."""
    image = room.unique("probe")
    folder = room.folder / "precedence"
    folder.mkdir(exist_ok=True)
    builds.build(room, folder, tag=image, dockerfile=f"FROM {IMAGE}\nENV {VARIABLE}=image\n")
    start, image_env, literal = FILE.format(image=image), "ENV in the image", "environment:"
    filled = f"environment: ${{{VARIABLE}}}"
    everything = ENV_FILE + FILLED_IN
    shell = {VARIABLE: "shell"}
    cases = (
        _case(room, folder, (image_env,), start),
        _case(room, folder, (image_env, ".env"), start),
        _case(room, folder, (image_env, ".env", "env_file:"), start + ENV_FILE),
        _case(room, folder, (image_env, ".env", "env_file:", literal), start + ENV_FILE + LITERAL),
        _case(room, folder, (image_env, ".env", "env_file:", filled), start + everything),
        _case(room, folder, (image_env, ".env", "env_file:", filled, "shell"), start + everything, env=shell),
        _case(room, folder, (image_env, ".env", "env_file:", filled, "shell", "run -e"), start + everything, env=shell),
    )
    return Precedence(cases)


def _case(room: Room, folder: Path, places: tuple[str, ...], text: str, *, env: dict[str, str] | None = None) -> Case:
    (folder / "compose.yaml").write_text(text, encoding="utf-8")
    (folder / "probe.env").write_text(f"{VARIABLE}=env_file\n", encoding="utf-8")
    (folder / ".env").write_text(f"{VARIABLE}=.env\n" if ".env" in places else "", encoding="utf-8")
    option = ("-e", f"{VARIABLE}=run") if "run -e" in places else ()
    words = ("compose", "run", "--rm", "-T", *option, "probe", "printenv", VARIABLE)
    return Case(places, room.cli(*words, cwd=folder, env=env).stdout.strip())
