"""A sandbox as strict as Binder's, as a container of another engine: what a visitor of a public notebook server has.

No root, no capability, no new privilege, Docker's own seccomp profile, no network, 2 GB of memory, two CPUs, and a
small `/dev/shm` from which nothing may be executed. Whatever it is to find has to be prepared before: that is what
Binder does when it builds.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from docker import DockerClient
from docker.models.containers import Container

from docker_tutor import images
from docker_tutor.engines.vm import image as guest
from docker_tutor.errors import EngineError
from docker_tutor.paths import cache_folder, checkout
from docker_tutor.units import MiB

__all__ = [
    "KINDS",
    "PEAK",
    "PYTHON_IMAGE",
    "RESTRICTED",
    "UID",
    "Outcome",
    "environment",
    "follow",
    "install",
    "link_cache",
    "own",
    "preparation",
    "prepare",
    "run_notebooks",
    "start",
]

UID = 1000
PYTHON_IMAGE = f"python:{sys.version_info.major}.{sys.version_info.minor}-slim"
INSTANCE = "sandbox"
TYPED = "docker-tutor/sandbox"
DOCKERFILE = f"""\
FROM {PYTHON_IMAGE}
RUN apt-get update && apt-get install --yes --no-install-recommends curl && rm -rf /var/lib/apt/lists/*
"""
"""With what notebooks type besides what every Debian has; Binder's own base has it."""
FETCHED = ("packages", "stand-ins")
"""What is of no use to a sandbox that is prepared."""
FETCHING = ("03-dockerfile", "04-multi-stage", "05-compose")
"""Notebooks whose builds fetch packages. The sandbox has no network: they are carried out once before, with one."""
COURSE = (sys.executable, "-m", "docker_tutor")
EXECUTE = "import sys; from nbclient.cli import main; main([sys.argv[1], '--timeout=900'])"
PEAK = """\
for file in ("memory/memory.max_usage_in_bytes", "memory.peak"):
    peak = pathlib.Path("/sys/fs/cgroup", file)
    if peak.exists():
        print(f"peak of memory, with what was read from files: {int(peak.read_text()) >> 20} MiB", flush=True)
"""
NOTEBOOK = (
    """\
import os, pathlib, subprocess, sys, time
from docker_tutor import paths
from docker_tutor.dev.suite import nbval_command
os.environ.update(paths.jupyter_environment())
os.chdir(paths.checkout())
name, limit_s = sys.argv[1:]
began = time.monotonic()
subprocess.run([sys.executable, "-m", "docker_tutor", "engine", "up"])
up_s = time.monotonic() - began
limit = f"--nbval-cell-timeout={limit_s}"
own = ["-o", f"cache_dir={pathlib.Path.home() / 'pytest'}"]  # the course is read-only here
done = subprocess.run([*nbval_command(pathlib.Path(name)), limit, *own, "-q", "--no-header", "--tb=short"])
took, said = time.monotonic() - began, "failed" if done.returncode else "passed"
print(f"{name}: {said} after {took:.0f} s, {up_s:.1f} s of it until the engine was up", flush=True)
"""
    + PEAK
    + """\
subprocess.run([sys.executable, "-m", "docker_tutor", "engine", "down"])
sys.exit(done.returncode != 0)
"""
)
KINDS: Mapping[str, int] = {"uml": 600, "qemu": 900}
"""Machines on which notebooks can be run in the sandbox, and the longest that a cell may take there in seconds: with
one CPU or under emulation, beside whatever else runs on this computer."""
CPUS = 2
RESTRICTED: Mapping[str, Any] = {
    "user": f"{UID}:{UID}",
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "mem_limit": "2g",
    "nano_cpus": CPUS * 10**9,
    "network_mode": "none",
    "shm_size": "64m",
}
"""What makes a container a sandbox, in the SDK's words."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the notebooks went in the sandbox."""

    failed: int
    said: str


@contextmanager
def prepare(
    names: Sequence[str], notebooks: Sequence[Path], say: Callable[[str], None], kind: str = "uml"
) -> Iterator[Path]:
    """Make a home folder as Binder's build does, with the images `names`, for a `with` block. Raises `EngineError`.

    What the builds of `notebooks` fetch is then in the build cache. The machine is of `kind`, one of `KINDS`.
    """
    home = Path(tempfile.mkdtemp(dir="/var/tmp", prefix="docker-tutor-sandbox-"))
    try:
        cache = home / ".cache/docker-tutor"
        for part in FETCHED:
            if (cache_folder() / part).is_dir():
                shutil.copytree(cache_folder() / part, cache / part, symlinks=True, copy_function=_linked)
        commands = [[*COURSE, "engine", "up"], *preparation(names, notebooks), [*COURSE, "engine", "pack"]]
        for command in commands:
            say(" ".join(command[2:]))
            done = subprocess.run(command, env=os.environ | _settings(home, kind), cwd=checkout(), check=False)
            if done.returncode:
                raise EngineError(f"the sandbox cannot be prepared: {' '.join(command[2:])}")
        for part in FETCHED:
            shutil.rmtree(cache / part)  # what is linked elsewhere must keep its owner
        install(home)
        own(home, files=True)
        yield home
    finally:
        shutil.rmtree(home)


def preparation(names: Sequence[str], notebooks: Sequence[Path]) -> list[list[str]]:
    """Return the commands after which the engine has the images `names`, and what the builds of `notebooks` fetch."""
    fetching = [[sys.executable, "-c", EXECUTE, str(path)] for path in notebooks if path.stem in FETCHING]
    return [[*COURSE, "images", "get", *names], *fetching]


def run_notebooks(
    client: DockerClient, home: Path, notebooks: Sequence[Path], say: Callable[[str], None], kind: str = "uml"
) -> Outcome:
    """Run `notebooks` with nbval on a machine of `kind`, each in a sandbox of its own, so that each has its own peak.

    `say` gets every line as it comes.
    """
    images.ensure(client, [PYTHON_IMAGE], disposable=True)
    client.images.build(fileobj=BytesIO(DOCKERFILE.encode()), tag=TYPED, rm=True)
    variables = {"DOCKER_TUTOR_INSTANCE": INSTANCE, "DOCKER_TUTOR_ENGINE": kind}
    command = ["python3", "-B", "-c", NOTEBOOK]
    outcomes = []
    for notebook in notebooks:
        words = [*command, str(notebook), str(KINDS[kind])]
        outcomes.append(follow(start(client, home, words, variables, image=TYPED), say))
    return Outcome(sum(each.failed != 0 for each in outcomes), "".join(each.said for each in outcomes))


def follow(started: Container, say: Callable[[str], None]) -> Outcome:
    """Give `say` what comes from the sandbox until it ends, and remove it; its status is how many have failed."""
    said: list[str] = []
    try:
        for chunk in started.logs(stream=True):
            said.append(chunk.decode(errors="replace"))
            say(said[-1])
        return Outcome(int(started.wait()["StatusCode"]), "".join(said))
    finally:
        started.remove(force=True, v=True)


def _settings(home: Path, kind: str) -> dict[str, str]:
    """Return what makes a process of ours work in another home, and nowhere else."""
    own = {"HOME": str(home), "DOCKER_TUTOR_INSTANCE": INSTANCE, "DOCKER_TUTOR_ENGINE": kind}
    return own | {"XDG_CACHE_HOME": str(home / ".cache"), "XDG_DATA_HOME": str(home / ".local/share")}


def install(home: Path) -> None:
    """Let any Python of our version find the course and what it needs, and a shell the command, as if installed there.

    Source: `site` (user site-packages, `.pth` files).
    """
    packages = home / f".local/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    packages.mkdir(parents=True)
    (packages / "course.pth").write_text(f"{checkout()}\n{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    command = home / "bin/docker-tutor"
    command.parent.mkdir()
    command.write_text('#!/bin/sh\nexec python3 -B -m docker_tutor "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    # A user's pip would put the programs of the packages here, too; chapter 3 runs this one.
    (command.parent / "hadolint").symlink_to(Path(sys.executable).with_name("hadolint"))


def link_cache(home: Path) -> None:
    """Have the guest's image in a new home folder: linked, not copied, where the file system allows it."""
    made = guest.ensure().folder
    there = home / ".cache/docker-tutor" / made.relative_to(cache_folder())
    shutil.copytree(made, there, symlinks=True, copy_function=_linked)


def own(home: Path, uid: int = UID, *, files: bool = False) -> None:
    """Give the folders of `home` to `uid`, and its `files` too; those that are linked are to be read only."""
    for parent, folders, names in os.walk(home):
        for name in (".", *folders, *(names if files else ())):
            os.chown(Path(parent, name), uid, uid, follow_symlinks=False)


def environment(home: Path) -> dict[str, str]:
    """Return the variables under which the course is run by somebody whose home is `home`."""
    return {"PATH": f"{home}/bin:/usr/bin:/bin", "HOME": str(home)}


def start(
    client: DockerClient,
    home: Path,
    command: list[str],
    more: Mapping[str, str] | None = None,
    *,
    image: str = PYTHON_IMAGE,
) -> Container:
    """Start `command` in the sandbox, where `home` is found under its own name and the course can be read.

    Raises what `images.ensure` and the SDK raise.
    """
    if image == PYTHON_IMAGE:
        images.ensure(client, [image], disposable=True)
    volumes = {str(checkout()): {"bind": str(checkout()), "mode": "ro"}, str(home): {"bind": str(home), "mode": "rw"}}
    started: Container = client.containers.run(
        image,
        command,
        detach=True,
        **RESTRICTED,
        volumes=volumes,
        working_dir=str(home),
        environment=environment(home) | dict(more or {}),
    )
    return started


def _linked(source: str, target: str) -> None:
    # What is small may be written again in its place (apt's settings): a link would change the other name's, too.
    if Path(source).lstat().st_size >= MiB:
        with contextlib.suppress(OSError):  # another file system
            os.link(source, target, follow_symlinks=False)
            return
    shutil.copy2(source, target, follow_symlinks=False)
