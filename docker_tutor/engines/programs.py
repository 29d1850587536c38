"""The engine's programs: Debian's packages unpacked into the user's cache, ready to run, nothing installed.

They are made once for each list of package files and shared by all instances of the user. The folder appears
under its name only when it is whole: it is made beside it and renamed.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from docker_tutor.engines import room
from docker_tutor.engines.packages import Archive, unpack
from docker_tutor.engines.patching import library_folder, patch
from docker_tutor.i18n import _
from docker_tutor.paths import cache_folder
from docker_tutor.progress import Report, silent
from docker_tutor.units import MiB

__all__ = ["PACKAGES", "Programs", "ensure", "found"]

PACKAGES = (
    "docker.io",
    "docker-cli",
    "docker-buildx",
    "docker-compose",
    "containerd",
    "runc",
    "tini",
    "iptables",
    "iproute2",
    "slirp4netns",
)
FOR_PEOPLE = ("docker", "ctr", "runc")
"""What a learner's `PATH` gets. The other programs would hide the machine's own of the same name."""
NEEDED_BYTES = 700 * MiB
STAMP = "stamp.json"


@dataclass(frozen=True, slots=True)
class Programs:
    """An unpacked engine."""

    folder: Path

    @property
    def root(self) -> Path:
        """The unpacked file system."""
        return self.folder / "root"

    @property
    def for_people(self) -> Path:
        """A folder with the programs that a learner types, to put into `PATH`."""
        return self.folder / "bin"

    @property
    def plugins(self) -> Path:
        """The folder of the CLI's plugins, for `cliPluginsExtraDirs`."""
        return self.root / "usr/libexec/docker/cli-plugins"

    @property
    def search_path(self) -> str:
        """What `PATH` must be for the daemon to find its helpers; the machine's own come last (`modprobe`)."""
        own = [str(self.root / "usr/sbin"), str(self.root / "usr/bin")]
        return os.pathsep.join([*own, "/usr/sbin", "/usr/bin", "/sbin", "/bin"])

    @property
    def xtables(self) -> Path:
        """The folder of iptables' extensions, for `XTABLES_LIBDIR`."""
        return library_folder(self.root) / "xtables"

    @property
    def versions(self) -> dict[str, str]:
        """The packages and their versions."""
        return dict(json.loads((self.folder / STAMP).read_text(encoding="utf-8"))["packages"])

    def path(self, name: str) -> Path:
        """Return the program called `name`. Raises `FileNotFoundError`."""
        for folder in ("usr/sbin", "usr/bin"):
            if (self.root / folder / name).exists():
                return self.root / folder / name
        raise FileNotFoundError(name)


def found(suite: str | None = None) -> Programs | None:
    """Return the programs that are here for `suite` (else the setting's), the newest; None if there are none."""
    home = cache_folder() / "engines"
    stamps = home.glob(f"{Archive(suite).suite}-*/{STAMP}")
    newest = max(stamps, key=lambda stamp: stamp.stat().st_mtime_ns, default=None)
    return Programs(newest.parent) if newest else None


def ensure(report: Report = silent, *, suite: str | None = None, fresh: bool = False) -> Programs:
    """Return the programs, fetching and unpacking them if they are not here; then no network is needed.

    With `fresh`, ask the mirror for newer packages first. Raises `PackageError`, `EngineNotFound`.
    """
    archive = Archive(suite)
    home = cache_folder() / "engines"
    with room.told(cache_folder()):
        home.mkdir(exist_ok=True)
    with FileLock(home / "in-use.lock"), room.told(home):
        if not fresh and (programs := found(suite)):
            return programs
        debs = archive.fetch(PACKAGES, report, fresh=fresh)
        name = hashlib.sha256("\n".join(deb.name for deb in debs).encode()).hexdigest()[:12]
        folder = home / f"{archive.suite}-{name}"
        if not (folder / STAMP).exists():
            _make(folder, debs, report)
        os.utime(folder / STAMP)
        return Programs(folder)


def _make(folder: Path, debs: Sequence[Path], report: Report) -> None:
    for abandoned in folder.parent.glob(".making-*"):
        shutil.rmtree(abandoned)  # of a process that was killed: we hold the lock, so nobody is at it
    room.require(
        folder.parent,
        NEEDED_BYTES,
        _("Unpacking the engine needs {needs} in {folder}, and {free} are free: make room for {missing} more there."),
    )
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    try:
        making.chmod(0o755)
        unpack(debs, making / "root", report)
        patch(making / "root", folder / "root", report)
        _link_for_people(making)
        stamp = {"packages": [deb.name.removesuffix(".deb").split("_")[:2] for deb in debs]}
        (making / STAMP).write_text(json.dumps(stamp, indent=1), encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        making.rename(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _link_for_people(folder: Path) -> None:
    people = folder / "bin"
    people.mkdir()
    for name in FOR_PEOPLE:
        below = next(p for p in ("usr/bin", "usr/sbin") if (folder / "root" / p / name).exists())
        (people / name).symlink_to(f"../root/{below}/{name}")
