"""A sandbox as strict as Binder's, as a container of another engine: what a visitor of a public notebook server has.

No root, no capability, no new privilege, Docker's own seccomp profile, no network, 2 GB of memory, two CPUs, and a
small `/dev/shm` from which nothing may be executed. Whatever it is to find has to be prepared before: that is what
Binder does when it builds.
"""

import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from docker import DockerClient
from docker.models.containers import Container

from docker_tutor import images
from docker_tutor.engines.vm import image as guest
from docker_tutor.paths import cache_folder, checkout

__all__ = ["PYTHON_IMAGE", "UID", "environment", "link_cache", "own", "start"]

UID = 1000
PYTHON_IMAGE = f"python:{sys.version_info.major}.{sys.version_info.minor}-slim"
MEMORY = "2g"
CPUS = 2
SHM = "64m"


def link_cache(home: Path) -> None:
    """Have the guest's image in a new home folder: linked, not copied, where the file system allows it."""
    made = guest.ensure().folder
    there = home / ".cache/docker-tutor" / made.relative_to(cache_folder())
    shutil.copytree(made, there, symlinks=True, copy_function=_linked)


def own(home: Path, uid: int = UID) -> None:
    """Give the folders of `home` to `uid`; its files are read only."""
    for parent, folders, _files in os.walk(home):
        for each in (Path(parent), *(Path(parent, name) for name in folders)):
            os.chown(each, uid, uid, follow_symlinks=False)


def environment(home: Path) -> dict[str, str]:
    """Return the variables under which the course is run by somebody whose home is `home`."""
    searched = [str(checkout()), sysconfig.get_path("purelib")]
    return {"PATH": "/usr/bin:/bin", "HOME": str(home), "PYTHONPATH": os.pathsep.join(searched)}


def start(client: DockerClient, home: Path, command: list[str], more: Mapping[str, str] | None = None) -> Container:
    """Start `command` in the sandbox, where `home` is found under its own name and the course can be read.

    Raises what `images.ensure` and the SDK raise.
    """
    images.ensure(client, [PYTHON_IMAGE], disposable=True)
    volumes = {str(checkout()): {"bind": str(checkout()), "mode": "ro"}, str(home): {"bind": str(home), "mode": "rw"}}
    started: Container = client.containers.run(
        PYTHON_IMAGE,
        command,
        detach=True,
        user=f"{UID}:{UID}",
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        mem_limit=MEMORY,
        nano_cpus=CPUS * 10**9,
        network_mode="none",
        shm_size=SHM,
        volumes=volumes,
        working_dir=str(home),
        environment=environment(home) | dict(more or {}),
    )
    return started


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # another file system
        shutil.copy2(source, target, follow_symlinks=False)
