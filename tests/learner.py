"""A learner for the tests: a checkout of their own, a home folder of their own, and the commands that they type."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import psutil
import pytest
from ports import free_port

from docker_tutor import paths

WITHIN_S = 90


@dataclass
class Course:
    """A checkout that can be started."""

    checkout: Path
    environment: dict[str, str]

    @classmethod
    def made(cls, folder: Path, instance: str) -> "Course":
        """Make an empty checkout in `folder`, for commands that find nothing of this machine's user but packages."""
        home = folder / "home"
        home.mkdir()
        (folder / "checkout").mkdir()
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("XDG_", "JUPYTER", "IPYTHON", "MPL", "DOCKER_"))
        }
        environment |= {
            "HOME": str(home),
            # The packages are the user's own, fetched once; everything else is made anew.
            "XDG_CACHE_HOME": str(platformdirs.user_cache_path()),
            "PYTHONPATH": str(folder / "checkout"),
            "DOCKER_TUTOR_INSTANCE": instance,
        }
        return cls(folder / "checkout", environment)

    @property
    def work(self) -> Path:
        """The learner's copy of the notebooks."""
        return self.checkout / "work"

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Type one command of the course, and wait for its end."""
        return subprocess.run(
            _command(*words),
            cwd=self.checkout,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=WITHIN_S,
        )

    def start(self) -> tuple["subprocess.Popen[str]", str]:
        """Start the course; return the process and JupyterLab's address once it is told."""
        words = _command("start", "--no-browser", "--engine", "private", "--port", str(free_port()))
        process = subprocess.Popen(
            words, cwd=self.checkout, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for line in process.stdout:
            if "http://" in line:
                return process, line.strip()
        assert process.stderr is not None
        pytest.fail(f"start ended before it served: {process.stderr.read()}")

    def alive(self) -> list[str]:
        """Return the command lines of the processes that belong to this course's engine and JupyterLab."""
        mark = f"/{self.environment['DOCKER_TUTOR_INSTANCE']}/"
        lines = (" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"]))
        return [line for line in lines if mark in line]

    def put_away(self) -> None:
        """Stop whatever still runs, and throw the engine away."""
        self.run("stop", "--engine", "private")
        self.run("engine", "down", "--purge", "--engine", "private")
        assert self.alive() == []
        # Logs and locks, which a learner's next start would find again.
        left = paths.runtime_folder().parent / self.environment["DOCKER_TUTOR_INSTANCE"]
        if left.exists():
            shutil.rmtree(left)


def copy_of_the_course(checkout: Path, *parts: str) -> None:
    """Put these parts of the course (`docker_tutor`, `notebooks`) into `checkout`."""
    for part in parts:
        ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
        shutil.copytree(paths.checkout() / part, checkout / part, ignore=ignored, dirs_exist_ok=True)


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "docker_tutor", *words]
