"""Having an image: local, else from a registry, else a stand-in of the course's own."""

import time
from collections.abc import Iterable
from dataclasses import replace

from docker import DockerClient
from docker.errors import ImageNotFound as NotHere
from docker.models.images import Image

from docker_tutor.errors import ImageNotFound, RecipeFailed
from docker_tutor.gateway.labels import STAND_IN
from docker_tutor.i18n import _
from docker_tutor.images.loading import load
from docker_tutor.images.making import make, recipe_digest
from docker_tutor.images.memory import DeadRegistries
from docker_tutor.images.provided import Provided, Source
from docker_tutor.images.recipes import Plan, choose
from docker_tutor.images.reference import Reference
from docker_tutor.images.registry import Pulled, RegistryProblem, pull
from docker_tutor.images.store import Store
from docker_tutor.progress import Report, silent

__all__ = ["RECIPE", "ensure"]

RECIPE = "docker-tutor.recipe"
"""Label of a stand-in: the digest of the recipe that made it, so that a newer course replaces it."""
VERSION = "docker-tutor.version"
"""Label of a stand-in: the version that it turned out to have."""


def ensure(client: DockerClient, names: Iterable[str], report: Report = silent, *, disposable: bool) -> list[Provided]:
    """Have every image of `names` on the engine, and say where each came from.

    In order: already here → from the registry (`DOCKER_TUTOR_REGISTRY`, else the image's own) → a stand-in. On a
    `disposable` engine a stand-in gets the real name too; on any other it is found under
    `docker-tutor/stand-in/NAME:TAG` and by its id only.

    Raises ImageNotFound, RecipeFailed or a PackageError.
    """
    dead = DeadRegistries(str(client.info()["ID"]))
    store = Store()
    return [_provide(client, Reference.parse(name), report, dead, store, disposable=disposable) for name in names]


def _provide(
    client: DockerClient, reference: Reference, report: Report, dead: DeadRegistries, store: Store, *, disposable: bool
) -> Provided:
    started = time.perf_counter()
    plan = None if reference.digest else choose(reference)

    def answer(source: Source, image: Image, note: str = "") -> Provided:
        size = int(image.attrs["Size"])
        return Provided(str(reference), source, str(image.id), size, time.perf_counter() - started, note)

    here = _look(client, str(reference))
    if here and not _is_stand_in(here):
        return answer("local", here)
    if plan and (known := here or _look(client, reference.stand_in)) and _fresh(known, plan):
        if disposable and here is None:
            known.tag(reference.repository, reference.tag)
        return answer("stand-in", known, plan.note(_version(known)))
    own = reference.repository.startswith("docker-tutor/")
    problem = RegistryProblem("off", "", _("it is the course's own")) if own else pull(client, reference, report, dead)
    if isinstance(problem, Pulled):
        pulled = _named(client, problem, reference)
        return answer("registry", pulled, plan.note(_version(pulled)) if plan and _is_stand_in(pulled) else "")
    if plan is None:
        raise ImageNotFound(_not_found(reference, problem))
    made = make(client, plan, store, report)
    made = replace(made, config={**made.config, **plan.config_for(reference.tag)})
    labels = {STAND_IN: str(reference), RECIPE: made.recipe, VERSION: made.version}
    load(client, store.archive([(made, labels, _names(reference, disposable=disposable))]), str(reference), report)
    image = _look(client, reference.stand_in)
    if image is None:
        raise RecipeFailed(_("The engine took the stand-in {name} and does not show it.").format(name=reference))
    return answer("stand-in", image, plan.note(made.version))


def _names(reference: Reference, *, disposable: bool) -> list[str]:
    return [reference.stand_in, str(reference)] if disposable else [reference.stand_in]


def _look(client: DockerClient, name: str) -> Image | None:
    try:
        return client.images.get(name)
    except NotHere:
        return None


def _labels(image: Image) -> dict[str, str]:
    return (image.attrs.get("Config") or {}).get("Labels") or {}


def _is_stand_in(image: Image) -> bool:
    return STAND_IN in _labels(image)


def _version(image: Image) -> str:
    return _labels(image).get(VERSION, "")


def _fresh(image: Image, plan: Plan) -> bool:
    """Whether `image` is the stand-in that today's recipe makes."""
    return _labels(image).get(RECIPE) == recipe_digest(plan)


def _named(client: DockerClient, pulled: Pulled, reference: Reference) -> Image:
    """Give what came from a mirror the name that was asked for, and take the mirror's away."""
    image = client.images.get(pulled.pulled_as)
    if pulled.pulled_as != str(reference) and not reference.digest:
        image.tag(reference.repository, reference.tag)
        client.api.remove_image(pulled.pulled_as, noprune=True)
    return image


def _not_found(reference: Reference, problem: RegistryProblem) -> str:
    if problem.kind == "off":
        tried = problem.reason
    else:
        tried = _("the registry {host} {reason}").format(host=problem.host, reason=problem.reason)
    text = _("The image {name} cannot be had: it is not on the engine, {tried}, and the course has no recipe for it.")
    return text.format(name=reference, tried=tried)
