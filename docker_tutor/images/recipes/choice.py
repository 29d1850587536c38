"""Which recipe, and which of its variants, stands in for a name."""

import re
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from docker_tutor.i18n import _
from docker_tutor.images.recipes.recipe import Recipe, Variant, recipes
from docker_tutor.images.reference import Reference

__all__ = ["Plan", "choose", "plan_for"]

RELEASES = {"10": "buster", "11": "bullseye", "12": "bookworm", "13": "trixie", "14": "forky"}


@dataclass(frozen=True, slots=True)
class Plan:
    """One image to be made: a recipe, and the variant of it that comes closest to a name."""

    recipe: Recipe
    variant: Variant
    alpine: bool = False
    """Whether the commands of Alpine Linux are wanted in it (`node:20-alpine`)."""
    exact: bool = True
    """Whether the version is the one that the name asks for."""

    @property
    def key(self) -> str:
        """A short name of what is made: `python-bookworm`, `node-trixie-alpine`."""
        return f"{self.recipe.family}-{self.variant.suite}" + ("-alpine" if self.alpine else "")

    @property
    def base(self) -> "Plan | None":
        """The plan of the image that it is installed on; None when it starts from nothing."""
        family = self.recipe.alpine_base if self.alpine else self.recipe.base
        if not family:
            return None
        plan = plan_for(family, self.variant.suite)
        return replace(plan, alpine=self.alpine and bool(plan.recipe.alpine_base))

    def config_for(self, tag: str) -> dict[str, Any]:
        """Return what the configuration says besides, for `tag` alone."""
        extra: dict[str, Any] = {}
        for pattern, said in self.recipe.tagged.items():
            if fnmatchcase(tag, pattern):
                extra |= said
        return extra

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages of this layer, by the names that the recipe asks for."""
        return (*self.recipe.packages, *self.variant.packages)

    @property
    def all_packages(self) -> tuple[str, ...]:
        """The packages of this layer and of all below it."""
        return (*(self.base.all_packages if self.base else ()), *self.packages)

    def note(self, version: str) -> str:
        """Return one sentence for the reader, with the `version` that the image turned out to have."""
        if self.exact:
            text = _("A stand-in made from Debian's packages: {title} {version}.")
        else:
            text = _("A stand-in made from Debian's packages: {title} {version}, the nearest that Debian has.")
        return text.format(title=self.recipe.title, version=version).replace(" .", ".").replace(" ,", ",")


def choose(reference: Reference) -> Plan | None:
    """Return the plan of the stand-in for `reference`; None when no recipe knows it."""
    for recipe in sorted(recipes().values(), key=lambda recipe: "*" in recipe.tags):
        if reference.repository in recipe.names and any(fnmatchcase(reference.tag, tag) for tag in recipe.tags):
            variant, exact = _nearest(recipe, reference.tag)
            return Plan(recipe, variant, bool(recipe.alpine_base) and "alpine" in reference.tag, exact)
    return None


def plan_for(family: str, suite: str) -> Plan:
    """Return the plan of `family` on `suite`, for use as a base."""
    recipe = recipes()[family]
    variants = [variant for variant in recipe.variants if variant.suite == suite]
    return Plan(recipe, variants[0] if variants else recipe.variants[0])


def _nearest(recipe: Recipe, tag: str) -> tuple[Variant, bool]:
    """Return the variant whose version is nearest to the one in `tag`, and whether it is that version."""
    wanted = _numbers(tag)
    if not any(variant.version for variant in recipe.variants):
        return recipe.variants[0], True
    if not wanted:
        named = [variant for variant in recipe.variants if variant.suite in tag]
        return (named or list(recipe.variants))[0], True

    def distance(variant: Variant) -> tuple[list[int], int]:
        own = _numbers(variant.version)
        gaps = [a - b for a, b in zip(own, wanted, strict=False)]
        # Of two that are equally far the newer one: it understands more of what is written today.
        return [abs(gap) for gap in gaps], 0 if gaps >= [0] * len(gaps) else 1

    best = min(recipe.variants, key=distance)
    return best, not any(distance(best)[0])


def _numbers(text: str) -> tuple[int, ...]:
    found = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
