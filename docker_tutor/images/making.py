"""Making a stand-in from its recipe, or taking it from the cache."""

import tempfile
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import Any

from docker import DockerClient

from docker_tutor.engines.packages import Archive, Package
from docker_tutor.errors import RecipeFailed
from docker_tutor.i18n import _
from docker_tutor.images.layers import Layer, LayerWriter, deb_contents
from docker_tutor.images.recipes import Plan
from docker_tutor.images.store import Made, MadeLayer, Store
from docker_tutor.progress import Report, Step

__all__ = ["make", "recipe_digest"]

FORMAT = "1"
"""Raised when this code makes something else of the same recipe."""


def recipe_digest(plan: Plan) -> str:
    """Return the digest of all that decides what `plan` becomes, the packages' versions apart."""
    base = recipe_digest(plan.base) if plan.base else ""
    return sha256(f"{FORMAT} {plan.key} {plan.recipe.digest()} {base}".encode()).hexdigest()


def make(client: DockerClient, plan: Plan, store: Store, report: Report) -> Made:
    """Return the stand-in of `plan`, made on the engine unless it is in the `store`.

    Raises RecipeFailed, or a PackageError when the packages cannot be had.
    """
    digest = recipe_digest(plan)
    with store.lock(plan.key):
        if found := store.find(plan.key, digest):
            return found
        task = _("Making the stand-in {title}").format(title=plan.recipe.title)
        report(Step(task, 0, 1))
        made = _picked(plan, store, report)
        report(Step(task, 1, 1))
        return made


def _picked(plan: Plan, store: Store, report: Report) -> Made:
    """Make an image of chosen files: nothing is run."""
    recipe = plan.recipe
    packages, debs = _fetch(plan, report)
    writer = LayerWriter()
    wanted = [(*source.split(":", 1), target) for source, target in recipe.pick.items()]
    joined = [(*source.split(":", 1), target) for target, source in recipe.concatenate.items()]
    parts: dict[str, list[tuple[str, bytes]]] = {}
    for name, deb in debs.items():
        rules = [(pattern, target) for owner, pattern, target in wanted if owner == name]
        joins = [(pattern, target) for owner, pattern, target in joined if owner == name]
        if not rules and not joins:
            continue
        with deb_contents(deb) as tar:
            for info in tar:
                path = "/" + info.name.removeprefix("./").strip("/")
                opened = tar.extractfile(info) if info.isreg() else None
                content = opened.read() if opened else b""
                for pattern, target in rules:
                    if fnmatchcase(path, pattern):
                        writer.add(_destination(path, pattern, target), info, content)
                for pattern, target in joins:
                    if info.isreg() and fnmatchcase(path, pattern):
                        parts.setdefault(target, []).append((path, content))
    for target, pieces in parts.items():
        writer.file(target, b"".join(content for _path, content in sorted(pieces)))
    add_own_files(writer, plan)
    return finished(plan, store, writer, packages, None)


def add_own_files(writer: LayerWriter, plan: Plan) -> None:
    """Add the files, links and directories of the recipe's folder."""
    for path, mode in plan.recipe.lines("directories.txt"):
        writer.directory(path, int(mode, 8))
    for path, target in plan.recipe.lines("links.txt"):
        writer.link(path, target)
    for path, file in plan.recipe.added_files().items():
        writer.file(path, file.read_bytes())


def finished(
    plan: Plan, store: Store, writer: LayerWriter, packages: Sequence[Package], base: Made | None
) -> Made:
    """Write the new layer and keep the image made of it and `base`."""
    with tempfile.TemporaryDirectory(dir=store.folder) as scratch:
        layer = writer.write(Path(scratch) / "layer.tar")
        return keep(plan, store, layer, packages, base, writer.newest)


def keep(  # noqa: PLR0913, PLR0917 - one image has that many parts
    plan: Plan, store: Store, layer: Layer, packages: Sequence[Package], base: Made | None, newest: int
) -> Made:
    """Keep the image made of `layer` on top of `base`."""
    versions = {package.name: package.version for package in packages}
    version = upstream(versions.get(plan.recipe.version_of, "")) or plan.variant.version
    said = _("docker_tutor recipe {key}: {packages}").format(key=plan.key, packages=" ".join(plan.recipe.packages))
    made = Made(
        key=plan.key,
        recipe=recipe_digest(plan),
        version=version,
        created=max(newest, base.created if base else 0),
        layers=((*base.layers,) if base else ()) + (MadeLayer(layer.diff_id, layer.size_bytes, said),),
        config=configured(plan.recipe.config, version, base.config if base else {}),
        packages=(dict(base.packages) if base else {}) | versions,
    )
    store.keep(made, layer)
    return made


def configured(said: Mapping[str, Any], version: str, base: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe's configuration on top of its base's: environment variables are merged by name."""
    merged: dict[str, Any] = {**base, **said}
    names: dict[str, str] = {}
    for line in [*base.get("Env", ()), *said.get("Env", ())]:
        names[line.partition("=")[0]] = line.replace("{version}", version)
    merged["Env"] = list(names.values())
    return merged


def upstream(version: str) -> str:
    """Return the part of a Debian version that the software's own authors gave: `1:3.11.2-1+b1` → `3.11.2`."""
    plain = version.partition(":")[2] or version
    plain = plain.rpartition("-")[0] or plain
    return plain.partition("+")[0].partition("~")[0]


def _fetch(plan: Plan, report: Report) -> tuple[list[Package], dict[str, Path]]:
    names = [*plan.recipe.packages, *plan.variant.packages]
    archive = Archive(plan.variant.suite)
    files = {file.name: file for file in archive.fetch(names, report)}
    packages = archive.closure(names, report)
    if missing := [package.file for package in packages if package.file not in files]:
        raise RecipeFailed(_("Packages are missing: {names}.").format(names=", ".join(missing)))
    return packages, {package.name: files[package.file] for package in packages}


def _destination(path: str, pattern: str, target: str) -> str:
    if not target.endswith("/"):
        return target
    fixed = pattern[: len(pattern) - len(pattern.lstrip("/"))] + pattern.strip("/").split("*", 1)[0]
    return target + path.removeprefix(fixed.rpartition("/")[0] + "/")
