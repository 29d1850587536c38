"""What every seat does alike: run a student's cells in a kernel, empty daemon and folder, bring images."""

import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import docker

from docker_tutor.grading.cellrunner import CellRunner
from docker_tutor.grading.seats import Ran
from docker_tutor.i18n import _
from docker_tutor.images import ensure
from docker_tutor.progress import Report

__all__ = ["BRINGS_WITHIN_S", "SEAT_VARIABLE", "CellSeat", "bring", "empty"]

SEAT_VARIABLE = "DOCKER_TUTOR_SEAT"
"""Tells a lab's first cell that it is being graded: the daemon is there, and others look at it."""
BRINGS_WITHIN_S = 600
"""An image that is packed or unpacked says nothing meanwhile, and the machine may have much else to do."""
_BUILT_IN_NETWORKS = {"bridge", "host", "none"}


class CellSeat(ABC):
    """A folder, a client of the daemon, and a kernel that starts with the first cell."""

    def __init__(self, folder: Path, client: docker.DockerClient, kept: dict[str, str]) -> None:
        """Work in `folder`; `kept` are the images, with their ids, that stay on the daemon."""
        self.folder = folder
        self._client = client
        self._kept = kept
        self._kernel: CellRunner | None = None
        self._gone = False

    @abstractmethod
    def _started(self) -> CellRunner:
        """Start the kernel."""

    def run(self, source: str, within_s: float) -> Ran:
        """Run a cell in the student's kernel; after it has died, nothing runs any more."""
        if self._gone:
            return Ran("died", _("The process that runs cells is gone."))
        if self._kernel is None:
            self._kernel = self._started()
        ran = self._kernel.run(source, within_s)
        if ran.status == "died":
            self._gone = True
        return ran

    def clear(self) -> None:
        """Remove what was made on the daemon and in the folder, and keep the kernel."""
        empty(self._client, self._kept)
        for path in self.folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def close(self) -> None:
        """End the student's processes; the daemon is the place's to empty or to end."""
        if self._kernel is not None:
            self._kernel.close()
        self._client.close()


def empty(client: docker.DockerClient, kept: Mapping[str, str]) -> None:
    """Remove every container, network, volume and image but those `kept`, and give these their names back.

    Raises DockerException, also when one of `kept` is no longer there.
    """
    api = client.api
    for container in api.containers(all=True, quiet=True):
        api.remove_container(container["Id"], force=True, v=True)
    for network in api.networks():
        if network["Name"] not in _BUILT_IN_NETWORKS:
            api.remove_network(network["Id"])
    for volume in api.volumes()["Volumes"] or []:
        api.remove_volume(volume["Name"], force=True)
    ids = set(kept.values())
    for image in api.images():
        if image["Id"] not in ids:
            api.remove_image(image["Id"], force=True)
            continue
        for name in image["RepoTags"] or []:
            if name not in kept and not name.startswith("docker-tutor/"):
                api.remove_image(name, force=True)
    for name, identity in kept.items():
        repository, _colon, tag = name.rpartition(":") if ":" in name.rsplit("/", 1)[-1] else (name, "", "latest")
        api.tag(identity, repository, tag)


def bring(client: docker.DockerClient, images: Sequence[str], report: Report, own: Any) -> None:
    """Have `images` on the seat's daemon, from the engine `own` where it runs: it keeps them for the next time.

    Raises ImageError, DockerException.
    """
    if own is not None and own.status().state == "running":
        with closing(docker.DockerClient(base_url=own.address, timeout=BRINGS_WITHIN_S)) as source:
            ensure(source, images, report, disposable=True)
            for name in images:
                saved: Any = source.api.get_image(name)
                client.images.load(saved)
    ensure(client, images, report, disposable=True)
