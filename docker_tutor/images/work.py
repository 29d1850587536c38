"""What the making of one stand-in needs at hand: the engine, the packages, a scratch folder, and who looks."""

import shutil
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from docker import DockerClient
from docker.models.containers import Container

from docker_tutor.engines.packages import Archive, Package, mirrors
from docker_tutor.errors import RecipeFailed
from docker_tutor.i18n import _
from docker_tutor.images.container import built, remove_abandoned
from docker_tutor.images.layers import LayerWriter
from docker_tutor.images.recipes import Plan
from docker_tutor.images.store import Store
from docker_tutor.progress import Report, Step

__all__ = ["Work", "add_own_files", "task"]

MAKING = "docker-tutor.making"
"""Label of the containers that make stand-ins."""
SOURCES = "/etc/apt/sources.list.d/debian.sources"


@dataclass(frozen=True)
class Work:
    """What the making of one image needs at hand."""

    client: DockerClient
    store: Store
    scratch: Path
    report: Report

    def fetch(self, plan: Plan) -> tuple[list[Package], dict[str, Path]]:
        """Return the packages of `plan` and all they depend on, and the verified file of each."""
        names = [*plan.packages, *(plan.base.all_packages if plan.base else ())]
        archive = Archive(plan.variant.suite)
        files = {file.name: file for file in archive.fetch(names, self.report)}
        packages = archive.closure(names, self.report)
        if missing := [package.file for package in packages if package.file not in files]:
            raise RecipeFailed(_("Packages are missing: {names}.").format(names=", ".join(missing)))
        return packages, {package.name: files[package.file] for package in packages}

    def own_files(self, plan: Plan, newest: int) -> Path:
        """Return a tar of the recipe's own files, with the machine's mirror in a whole Debian."""
        writer = LayerWriter(newest)
        add_own_files(writer, plan)
        if plan.recipe.kind == "root":
            writer.file(SOURCES, _sources(plan.variant.suite).encode())
        return writer.write(self.scratch / "files.tar").file

    def built(self, plan: Plan, image: str, debs: Collection[Path], files: Path) -> AbstractContextManager[Container]:
        """Return a container on `image` in which all that `plan` says has been done."""
        doing = task(plan)

        def progress(done: int, total: int) -> None:
            self.report(Step(doing, done, total))

        return built(self.client, image, debs, files, plan.recipe.script(), {MAKING: self.mark(plan)}, progress)

    def mark(self, plan: Plan) -> str:
        """Return what tells this making of `plan` from anybody else's on the same engine."""
        return f"{plan.key}-{sha256(str(self.store.folder).encode()).hexdigest()[:8]}"

    def name(self, plan: Plan) -> str:
        """Return the name of the image that is there while something is made on it."""
        return f"docker-tutor/making:{self.mark(plan)}"

    @contextmanager
    def tidy(self, plan: Plan) -> Iterator[None]:
        """Begin without the remains of one who was killed, and leave none."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        try:
            remove_abandoned(self.client, f"{MAKING}={self.mark(plan)}")
            yield
        finally:
            shutil.rmtree(self.scratch, ignore_errors=True)


def task(plan: Plan) -> str:
    """Return what the reader is told while `plan` is made."""
    return _("Making the stand-in {title}").format(title=plan.recipe.title)


def add_own_files(writer: LayerWriter, plan: Plan) -> None:
    """Add the files, links and directories of the recipe's folder to `writer`."""
    for path, mode, *owner in plan.recipe.lines("directories.txt"):
        writer.directory(path, int(mode, 8), int(owner[0]) if owner else 0)
    for path, target in plan.recipe.lines("links.txt"):
        writer.link(path, target)
    for path, file in plan.recipe.added_files().items():
        writer.file(path, file.read_bytes())


def _sources(suite: str) -> str:
    mirror = mirrors()
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    parts = [(mirror.uri, f"{suite} {suite}-updates")]
    if mirror.security_uri:
        parts.append((mirror.security_uri, f"{suite}-security"))
    return "\n".join(
        f"Types: deb\nURIs: {uri}\nSuites: {suites}\nComponents: main\nSigned-By: {keyring}\n" for uri, suites in parts
    )
