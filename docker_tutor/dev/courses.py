"""A folder in which nbgrader works, to try its grades beside our own: the labs' sources, a secret, a made-up class."""

import os
import shutil
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from docker_tutor import paths
from docker_tutor.errors import GradingError
from docker_tutor.grading.sample import hand_in
from docker_tutor.grading.tasks import lab
from docker_tutor.grading.tickets import SECRET_VARIABLE, Secret
from docker_tutor.i18n import _

__all__ = ["NbgraderCourse"]


class NbgraderCourse:
    """What is written by hand of the labs, copied; everything else in it is generated."""

    def __init__(self, folder: Path) -> None:
        """Make it in `folder`, which is not there yet."""
        self.folder = folder
        shutil.copytree(paths.checkout() / "labs" / "source", folder / "source")
        shutil.copy(paths.checkout() / "labs" / "nbgrader_config.py", folder)
        self.secret = Secret.made(folder / "secret.txt")

    def nbgrader(self, *words: str) -> str:
        """Run one of nbgrader's own commands and return what it wrote. Raises GradingError when it fails."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # it calls alembic by name
        environment = os.environ | {SECRET_VARIABLE: str(self.folder / "secret.txt"), "PATH": path}
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *words],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            message = _("nbgrader {words} failed:\n{said}")
            raise GradingError(message.format(words=" ".join(words), said=done.stderr[-3000:]))
        return done.stdout + done.stderr

    def hand_in(self, number: int, only: Collection[str] = ()) -> None:
        """Let the made-up class (or `only` some of it) hand in lab `number`, whose release is there."""
        for notebook in hand_in(lab(number), self.secret, self.folder / "release", self.folder / "submitted"):
            if only and notebook.parent.parent.name not in only:
                shutil.rmtree(notebook.parent.parent)

    def scores(self, number: int) -> dict[str, dict[str, float]]:
        """Return what is in nbgrader's database after `autograde`: for each student the points of each task."""
        from nbgrader import api  # half a second, and a database's worth of modules

        known: Any = api
        name = f"lab{number}"
        with known.Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}") as book:
            return {
                student.id: {
                    grade.name.removesuffix("-test"): float(grade.score)
                    for notebook in book.find_submission(name, student.id).notebooks
                    for grade in notebook.grades
                }
                for student in book.students
                if any(each.name == name for each in student.submissions)
            }
