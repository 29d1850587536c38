"""One suite of the distribution: which packages are needed, and their verified files."""

import hashlib
import json
import os
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock

from docker_tutor.engines.packages.apt import Apt
from docker_tutor.engines.packages.sources import Mirror, mirrors
from docker_tutor.errors import DownloadFailed
from docker_tutor.i18n import _
from docker_tutor.paths import cache_folder
from docker_tutor.progress import Report, silent

__all__ = ["Archive", "Package"]

DEFAULT_SUITE = "trixie"
NOT_FOUND = "404 "
INDEX_AGE_S = 24 * 3600
URI_LINE = re.compile(r"^'(?P<uri>[^']+)' (?P<file>\S+) (?P<size>\d+) SHA256:(?P<sha256>[0-9a-f]{64})$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Package:
    """One package file that the signed index promises."""

    name: str
    version: str
    file: str
    size_bytes: int
    sha256: str


class Archive:
    """One suite of the distribution (`trixie`, `testing`, …), kept in the user's cache.

    Two processes may use it at once: a file lock makes the second wait for the first.
    """

    def __init__(self, suite: str | None = None, *, folder: Path | None = None, mirror: Mirror | None = None) -> None:
        """Use `suite` (else `DOCKER_TUTOR_SUITE`, else trixie) of the machine's own mirror; nothing is fetched yet."""
        self.suite = suite or os.environ.get("DOCKER_TUTOR_SUITE") or DEFAULT_SUITE
        self.folder = folder or cache_folder() / "packages" / self.suite
        self._mirror = mirror

    @property
    def apt(self) -> Apt:
        """Apt on this archive's folder; its `environment` serves other programs of apt, and mmdebstrap."""
        return Apt(self.folder, self.suite, self._mirror or mirrors())

    def closure(self, names: Sequence[str], report: Report = silent) -> list[Package]:
        """Return what `names` need on an empty system, themselves included, in apt's order."""
        with self._locked():
            return self._known(names) or self._resolve(names, report)

    def fetch(self, names: Sequence[str], report: Report = silent, *, fresh: bool = False) -> list[Path]:
        """Return the verified files of `names` and all they depend on, downloading what is not here yet.

        What was fetched for the same names before is served without network, unless `fresh` asks
        for the newest. Raises `DownloadFailed`, `SignatureInvalid` or `DiskFull`.
        """
        with self._locked():
            if fresh:
                (self.folder / "updated").unlink(missing_ok=True)
            known = [] if fresh else self._known(names)
            if known and self._here(known):
                return self._files(known)
            packages = self._resolve(names, report)
            if not self._here(packages):
                try:
                    self._download(names, packages, report)
                except DownloadFailed as error:
                    if NOT_FOUND not in str(error):
                        raise
                    # The mirror has newer packages than our index of yesterday.
                    (self.folder / "updated").unlink()
                    packages = self._resolve(names, report)
                    self._download(names, packages, report)
            self._remember(names, packages)
            return self._files(packages)

    def _resolve(self, names: Sequence[str], report: Report) -> list[Package]:
        apt = self.apt
        apt.configure()
        stamp = self.folder / "updated"
        if not stamp.exists() or time.time() - stamp.stat().st_mtime > INDEX_AGE_S:
            apt.update(report)
            stamp.touch()
        # apt leaves out what it holds already, so the question is asked with an empty folder of archives.
        asked = ["-o", f"Dir::Cache::archives={self.folder / 'none'}", "-o", "Acquire::ForceHash=SHA256"]
        output = apt.run(["install", "--print-uris", "--no-install-recommends", *asked, *names])
        packages = [_package(found) for found in URI_LINE.finditer(output)]
        if not packages:
            raise DownloadFailed(_("apt named no files for {names}.").format(names=", ".join(names)))
        return packages

    def _download(self, names: Sequence[str], packages: Sequence[Package], report: Report) -> None:
        missing = sum(p.size_bytes for p in packages if not (self.folder / "archives" / p.file).exists())
        task = _("Fetching Debian packages")
        command = ["install", "--download-only", "--no-install-recommends", *names]
        self.apt.run(command, report, task, total=max(missing, 1))
        if not self._here(packages):
            raise DownloadFailed(_("The mirror delivered something other than its signed index promises: try again."))

    def _here(self, packages: Sequence[Package]) -> bool:
        """Whether every file is here, whole; one that is not what the index promises is removed."""
        whole = True
        for package, file in zip(packages, self._files(packages), strict=True):
            if file.exists() and _sha256(file) == package.sha256:
                continue
            file.unlink(missing_ok=True)
            whole = False
        return whole

    def _files(self, packages: Sequence[Package]) -> list[Path]:
        return [self.folder / "archives" / package.file for package in packages]

    def _memory(self, names: Sequence[str]) -> Path:
        key = hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:16]
        return self.folder / "closures" / f"{key}.json"

    def _known(self, names: Sequence[str]) -> list[Package]:
        memory = self._memory(names)
        return [Package(**fields) for fields in json.loads(memory.read_text())] if memory.exists() else []

    def _remember(self, names: Sequence[str], packages: Sequence[Package]) -> None:
        memory = self._memory(names)
        memory.parent.mkdir(exist_ok=True)
        written = memory.with_suffix(f".{os.getpid()}")
        written.write_text(json.dumps([asdict(package) for package in packages], indent=1))
        written.replace(memory)

    def _locked(self) -> FileLock:
        self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.folder / "in-use.lock")


def _package(found: re.Match[str]) -> Package:
    name, version, *_architecture = found["file"].removesuffix(".deb").split("_")
    return Package(name, version.replace("%3a", ":"), found["file"], int(found["size"]), found["sha256"])


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
