"""Making a layer by running packages' maintainer scripts: in a container, never on this machine."""

import io
import tarfile
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from docker import DockerClient
from docker.errors import ImageNotFound as NotHere
from docker.models.containers import Container

from docker_tutor.errors import RecipeFailed
from docker_tutor.i18n import _

__all__ = ["built", "changed", "exported", "remove_abandoned", "temporary_image"]

WORK = "/.making"
"""Folder in the container that is gone at the end."""
LIMIT_S = 600
DELETED = 2
"""`Kind` of a deleted path in `GET /containers/{id}/changes` (Docker Engine API)."""

INSTALL = f"""\
set -eu
export DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes LC_ALL=C.UTF-8
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd {WORK}/debs
if [ ! -s /var/lib/dpkg/status ]; then
    # From nothing: users and groups first, since every other package's files are given to them.
    mkdir -p /var/lib/dpkg/info /var/lib/dpkg/updates /var/log
    touch /var/lib/dpkg/status
    dpkg --force-depends --force-unsafe-io --install *_base-passwd_*.deb
fi
if ls *.deb >/dev/null 2>&1; then
    # All at once, in apt's order: a pre-dependency may be unpacked by then and not configured, hence the force.
    dpkg --force-depends --force-unsafe-io --unpack *.deb
    dpkg --force-unsafe-io --configure --pending
fi
cd /
if [ -e {WORK}/files.tar ]; then tar -C / --no-same-owner -xf {WORK}/files.tar; fi
if [ -e {WORK}/finish.sh ]; then sh -eu {WORK}/finish.sh; fi
# A password's date of change would make every day's image another one.
today=$(($(date +%s) / 86400))
if grep -q ":$today:" /etc/shadow; then sed -i "s/:$today:/:19700:/" /etc/shadow; fi
rm -rf {WORK}
"""


@contextmanager
def built(
    client: DockerClient,
    image: str,
    debs: Collection[Path],
    files: Path | None,
    finish: str,
    labels: Mapping[str, str],
    progress: Callable[[int, int], None],
) -> Iterator[Container]:
    """Yield a stopped container in which `debs` are installed, then `files` (a tar) unpacked, then `finish` run.

    It has no network. `progress` gets the number of steps done and of all. Raises RecipeFailed with the end of what
    it said.
    """
    container = client.containers.create(
        image,
        [INSTALL],
        entrypoint=["/bin/sh", "-c"],
        labels=dict(labels),
        network_mode="none",
        user="0",
        working_dir="/",
        healthcheck={"test": ["NONE"]},
    )
    try:
        with tempfile.TemporaryFile() as luggage:
            _pack(luggage, debs, files, finish)
            container.put_archive("/", luggage)
        container.start()
        _follow(container, 2 * len(debs), progress)
        code = container.wait(timeout=LIMIT_S)["StatusCode"]
        if code:
            said = container.logs(tail=40).decode(errors="replace").strip()
            raise RecipeFailed(_("The recipe of {image} ended with {code}: {said}").format(
                image=image, code=code, said=said))  # fmt: skip
        yield container
    finally:
        container.remove(force=True, v=True)


def _follow(container: Container, total: int, progress: Callable[[int, int], None]) -> None:
    """Count what dpkg says that it does, until the container ends: each package is unpacked, then set up."""
    done = 0
    for said in container.logs(stream=True, follow=True):
        done += said.count(b"Unpacking ") + said.count(b"Setting up ")
        progress(min(done, total), total)


def remove_abandoned(client: DockerClient, label: str) -> None:
    """Remove the containers with `label` that somebody who was killed has left."""
    for container in client.containers.list(all=True, filters={"label": label}):
        container.remove(force=True, v=True)


@contextmanager
def temporary_image(client: DockerClient, name: str) -> Iterator[str]:
    """Yield `name`, an image loaded for this work only, and take it away again."""
    try:
        yield name
    finally:
        # It may never have come to be; what stopped it is already on its way up.
        with suppress(NotHere):
            client.images.remove(name, force=True)


def exported(container: Container, file: Path) -> None:
    """Write all files of `container` to `file`, a tar whose paths begin with a slash.

    They are copied (`docker cp`), not exported: after `docker export`, Docker 26 never removes the container's own
    layer again, and here that is all that was installed. Source: moby#48516.
    """
    chunks, _about = container.get_archive("/")
    with file.open("wb") as out:
        for chunk in chunks:
            out.write(chunk)


def changed(container: Container) -> tuple[set[str], set[str]]:
    """Return the paths that `container` added or changed on its image, and those that it deleted."""
    kinds: dict[bool, set[str]] = {True: set(), False: set()}
    for change in container.diff() or ():
        kinds[change["Kind"] == DELETED].add(str(change["Path"]))
    return kinds[False], kinds[True]


def _pack(luggage: IO[bytes], debs: Iterable[Path], files: Path | None, finish: str) -> None:
    with tarfile.open(fileobj=luggage, mode="w") as tar:
        folder = tarfile.TarInfo(f"{WORK[1:]}/debs")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(folder)
        for number, deb in enumerate(debs):
            tar.add(deb, f"{WORK[1:]}/debs/{number:04}_{deb.name}")
        if files:
            tar.add(files, f"{WORK[1:]}/files.tar")
        if finish:
            info = tarfile.TarInfo(f"{WORK[1:]}/finish.sh")
            content = finish.encode()
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    luggage.seek(0)
