"""The Binder build, carried out: repo2docker builds an image of this checkout, and a strict session makes use of it.

repo2docker's own program decides all steps and their order. Two things stand in for what is not to be had without a
registry and a conda channel: its base image, unless it can be pulled, is made of Ubuntu's packages, with less in it
than the real one has; and its base environment comes from PyPI (see `conda_place`).
Source: repo2docker, `buildpacks/base.py` (the Dockerfile), `buildpacks/conda`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

from docker import DockerClient

from docker_tutor import images
from docker_tutor.dev import conda_place, rules, sandbox
from docker_tutor.engines.base import Engine
from docker_tutor.errors import CommandFailed, ImageNotFound
from docker_tutor.paths import checkout

__all__ = ["BASE", "BUILT", "Timed", "build", "provide_base", "remove", "run_session", "size_bytes", "timed"]

BASE = "buildpack-deps:24.04"
"""What repo2docker starts from."""
BUILT = "docker-tutor/binder"
TRIED = "docker-tutor/binder-tried"
USER = "jovyan"
SYSTEM = "debian:trixie"
RELEASE = "noble"
INCLUDED = (
    "bzip2,ca-certificates,curl,file,git,gnupg,netbase,openssh-client,patch,procps,python3,tzdata,unzip,wget,xz-utils"
)
"""Part of what the real base has; compilers and libraries to compile against are not among it."""
MAKE = f"""\
apt-get -qq update
apt-get -qq install --yes --no-install-recommends distro-info-data mmdebstrap ubuntu-archive-keyring >/dev/null
mmdebstrap --quiet --variant=minbase --components=main,universe --include={INCLUDED} \\
    --keyring=/usr/share/keyrings/ubuntu-archive-keyring.gpg \\
    --customize-hook='chroot "$1" useradd --uid 1000 --user-group --create-home --shell /bin/bash ubuntu' \\
    --customize-hook='cat /making/authorities.pem >>"$1/etc/ssl/certs/ca-certificates.crt"' \\
    {RELEASE} /making/system.tar
"""
"""Ubuntu's image has a user of that number already, and repo2docker has to cope with it."""
TRUSTED = "/etc/ssl/certs/ca-certificates.crt"
CONFIGURED = [
    "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    f"ENV SSL_CERT_FILE={TRUSTED} PIP_CERT={TRUSTED}",
]
BUILDER = "jupyter-repo2docker"
SCRIPT = "buildpacks/conda/install-base-env.bash"
BEGAN = re.compile(r"^#(?P<number>\d+) \[ *(?P<step>\d+/\d+)\] (?P<words>.*)")
ENDED = re.compile(r"^#(?P<number>\d+) DONE (?P<seconds>[\d.]+)s")
SESSION = (
    """\
import os, pathlib, subprocess, sys, time
from docker_tutor.dev.suite import nbval_command
def timed(what, *command, **more):
    began = time.monotonic()
    done = subprocess.run(command, **more)
    print(f"{what}: {'failed' if done.returncode else 'done'} after {time.monotonic() - began:.1f} s", flush=True)
    return done.returncode != 0
failed = timed("pip check", sys.executable, "-m", "pip", "check")
failed += timed("engine up", "docker-tutor", "engine", "up")
began = time.monotonic()
server = subprocess.Popen(["jupyter", "notebook", "--no-browser"], stderr=subprocess.PIPE, text=True)
answers = any("is running at" in line for line in server.stderr)
print(f"Jupyter {'answers' if answers else 'has failed'} after {time.monotonic() - began:.1f} s", flush=True)
failed += not answers
os.environ["DOCKER_TUTOR_ENGINE"] = "uml"  # what such a machine lacks may be left out, and says so
for name in sys.argv[1:]:
    command = nbval_command(pathlib.Path(name))
    failed += timed(name, *command, "--nbval-cell-timeout=600", "-q", "--no-header", "--tb=short")
"""
    + sandbox.PEAK
    + """\
server.terminate()
server.communicate()
failed += timed("engine down", "docker-tutor", "engine", "down")
sys.exit(failed)
"""
)
"""The engine is found as anybody's is who opens a notebook there: nothing says which."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Timed:
    """One step of a Dockerfile that has been carried out."""

    step: str
    words: str
    seconds: float


def timed(lines: Iterable[str]) -> list[Timed]:
    """Return the steps that BuildKit's plain progress tells of in `lines`, in the order in which they ended."""
    began: dict[str, tuple[str, str]] = {}
    found = []
    for line in lines:
        if start := BEGAN.match(line):
            began[start["number"]] = start["step"], start["words"]
        elif (end := ENDED.match(line)) and end["number"] in began:
            found.append(Timed(*began[end["number"]], float(end["seconds"])))
    return found


def provide_base(client: DockerClient, say: Say) -> None:
    """Have repo2docker's base image on the engine: pulled, or made of Ubuntu's packages. Raises what either raises."""
    if client.images.list(BASE):
        return
    try:
        images.ensure(client, [BASE], disposable=True)
    except ImageNotFound:
        say(f"making {BASE} out of Ubuntu's packages")
    else:
        return
    images.ensure(client, [SYSTEM], disposable=True)
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="docker-tutor-binder-") as folder:
        authorities = os.environ.get("SSL_CERT_FILE")
        Path(folder, "authorities.pem").write_bytes(Path(authorities).read_bytes() if authorities else b"")
        shared = {folder: {"bind": "/making", "mode": "rw"}}
        # mmdebstrap mounts what maintainer scripts want to see.
        client.containers.run(SYSTEM, ["sh", "-euc", MAKE], privileged=True, volumes=shared, remove=True)
        repository, _colon, tag = BASE.partition(":")
        client.api.import_image_from_file(f"{folder}/system.tar", repository=repository, tag=tag, changes=CONFIGURED)


def build(engine: Engine, say: Say) -> list[str]:
    """Let repo2docker build this checkout as `BUILT`; return the lines it printed. Raises `CommandFailed`."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="docker-tutor-binder-") as name:
        folder = Path(name)
        course, settings = folder / "course", folder / "config.json"
        for file in rules.tracked_files(checkout()):
            target = course / file.relative_to(checkout())
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target, follow_symlinks=False)
        settings.write_text(json.dumps(dict(engine.tools.config)), encoding="utf-8")
        path = os.pathsep.join([*map(str, engine.tools.path), os.environ.get("PATH", os.defpath)])
        environment = os.environ | {"DOCKER_HOST": engine.address, "DOCKER_CONFIG": name, "PATH": path}
        command = [str(_repo2docker(folder / "builder")), "--no-run", "--user-id", str(sandbox.UID)]
        command += ["--user-name", USER, "--image-name", BUILT, str(course)]
        return _lines(command, environment, say)


def run_session(client: DockerClient, notebooks: Sequence[Path], say: Say) -> sandbox.Outcome:
    """Run `notebooks` with nbval in a session of `BUILT`, as a visitor's is started; `say` gets what comes."""
    tools = " ".join(f"{name}=={version(name)}" for name in ("nbval", "pytest"))
    added = f"FROM {BUILT}\nRUN pip install --no-cache-dir --quiet {tools}\n"
    client.images.build(fileobj=BytesIO(added.encode()), tag=TRIED, rm=True)
    command = ["python3", "-c", SESSION, *(str(path.relative_to(checkout())) for path in notebooks)]
    return sandbox.follow(client.containers.run(TRIED, command, detach=True, **sandbox.RESTRICTED), say)


def size_bytes(client: DockerClient) -> int:
    """Return the size of the image that was built, all layers together."""
    return int(client.images.get(BUILT).attrs["Size"])


def remove(client: DockerClient) -> None:
    """Remove what was built, and BuildKit's cache of it; the base image stays for the next time."""
    for name in (TRIED, BUILT):
        if client.images.list(name):
            client.images.remove(name, force=True)
    client.api.prune_builds(all=True)


def _repo2docker(folder: Path) -> Path:
    """Have repo2docker in an environment of its own, with our script for the base environment; return its program."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([folder / "bin/pip", "install", "--quiet", BUILDER], check=True)
    (script,) = folder.glob(f"lib/*/site-packages/repo2docker/{SCRIPT}")
    script.write_text(f"#!/usr/bin/python3\n{Path(conda_place.__file__).read_text(encoding='utf-8')}", encoding="utf-8")
    script.chmod(0o755)
    return folder / "bin/repo2docker"


def _lines(command: list[str], environment: Mapping[str, str], say: Say) -> list[str]:
    lines = []
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as running:
        for line in running.stdout or ():
            lines.append(line.rstrip("\n"))
            say(lines[-1])
    if running.returncode:
        raise CommandFailed("\n".join(["repo2docker has failed:", *lines[-20:]]))
    return lines
