"""Making a stand-in from its recipe, or taking it from the cache."""

import errno
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path

from docker import DockerClient
from docker.errors import DockerException

from docker_tutor.engines.packages import Package
from docker_tutor.errors import DiskFull
from docker_tutor.i18n import _
from docker_tutor.images.container import changed, exported, temporary_image
from docker_tutor.images.describing import configured, upstream
from docker_tutor.images.layers import Layer, LayerWriter, built_at, deb_contents, merged, rewrite
from docker_tutor.images.loading import load, refusal
from docker_tutor.images.recipes import Plan
from docker_tutor.images.slim import kept
from docker_tutor.images.store import Made, MadeLayer, Store
from docker_tutor.images.work import Work, add_own_files, task
from docker_tutor.progress import Report, Step, silent

__all__ = ["make", "recipe_digest"]

FORMAT = "3"
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
        report(Step(task(plan), 0))
        work = Work(client, store, store.folder / f"{plan.key}.scratch", report)
        try:
            with work.tidy(plan):
                made = _made(plan, work)
        except DockerException as error:
            raise refusal(plan.recipe.title, str(error)) from error
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise DiskFull(
                _("The disk is full: make room in {path} and try again.").format(path=store.folder)
            ) from error
        report(Step(task(plan), 1, 1))
        return made


def _made(plan: Plan, work: Work) -> Made:
    if plan.recipe.kind == "pick":
        return _picked(plan, work)
    if base := plan.base:
        return _installed(plan, base, work)
    return _rooted(plan, work)


def _picked(plan: Plan, work: Work) -> Made:
    """Make an image of chosen files: nothing is run."""
    recipe = plan.recipe
    packages, debs = work.fetch(plan)
    newest = _newest(debs.values())
    writer = LayerWriter(newest)
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
    return _keep(plan, work.store, writer.write(work.scratch / "layer.tar"), packages, None, newest)


def _rooted(plan: Plan, work: Work) -> Made:
    """Make a whole Debian from nothing, flattened to one layer."""
    packages, debs = work.fetch(plan)
    newest = _newest(debs.values())
    files = work.own_files(plan, newest)
    first = work.scratch / "first.tar"
    merged(debs.values(), files, first, kept)
    with temporary_image(work.client, work.name(plan)) as image:
        repository, _colon, tag = image.rpartition(":")
        work.client.api.import_image_from_file(str(first), repository=repository, tag=tag)
        first.unlink()
        with work.built(plan, image, debs.values(), files) as container:
            whole = work.scratch / "whole.tar"
            exported(container, whole)
    with whole.open("rb") as source:
        layer = rewrite(
            source, work.scratch / "layer.tar", kept, newest, expected=["/var/lib/dpkg/status", "/usr/bin/sh"]
        )
    return _keep(plan, work.store, layer, packages, None, newest)


def _installed(plan: Plan, base_plan: Plan, work: Work) -> Made:
    """Make an image by installing packages on another stand-in: one more layer."""
    base = make(work.client, base_plan, work.store, work.report)
    packages, debs = work.fetch(plan)
    new = {name: deb for name, deb in debs.items() if name not in base.packages}
    newest = max(_newest(new.values()), base.created)
    if not new and not plan.recipe.adds:
        return _keep(plan, work.store, None, packages, base, newest)
    files = work.own_files(plan, newest)
    with temporary_image(work.client, work.name(base_plan)) as image:
        load(work.client, work.store.archive([(base, {}, [image])]), base_plan.recipe.title, silent)
        with work.built(plan, image, new.values(), files) as container:
            paths, deleted = changed(container)
            whole = work.scratch / "whole.tar"
            exported(container, whole)
    with whole.open("rb") as source:
        wanted = set(filter(kept, paths))
        layer = rewrite(
            source,
            work.scratch / "layer.tar",
            wanted.__contains__,
            newest,
            expected=wanted,
            deleted=filter(kept, deleted),
        )
    return _keep(plan, work.store, layer, packages, base, newest)


def _keep(
    plan: Plan, store: Store, layer: Layer | None, packages: Sequence[Package], base: Made | None, newest: int
) -> Made:
    """Keep the image made of `layer` on top of `base`."""
    versions = {package.name: package.version for package in packages}
    named = plan.recipe.version_of or next(iter(plan.variant.packages), "")
    version = upstream(versions.get(named, "")) or plan.variant.version
    said = _("docker_tutor recipe {key}: {packages}").format(key=plan.key, packages=" ".join(plan.packages))
    made = Made(
        key=plan.key,
        recipe=recipe_digest(plan),
        version=version,
        created=newest,
        layers=(
            *(base.layers if base else ()),
            *((MadeLayer(layer.diff_id, layer.size_bytes, said),) if layer else ()),
        ),
        config=configured(plan.recipe.config, version, base.config if base else {}),
        packages=versions | (dict(base.packages) if base else {}),
    )
    store.keep(made, layer)
    return made


def _newest(debs: Iterable[Path]) -> int:
    return max((built_at(deb) for deb in debs), default=0)


def _destination(path: str, pattern: str, target: str) -> str:
    if not target.endswith("/"):
        return target
    fixed = pattern.split("*", 1)[0].rpartition("/")[0]
    return target + path.removeprefix(f"{fixed}/")
