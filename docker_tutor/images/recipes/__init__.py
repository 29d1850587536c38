"""The course's own recipes for images that no registry gives: which one stands in for a name.

A recipe is a folder: `recipe.toml` says which repositories it stands for, from which Debian packages it
is made and the image's configuration; beside it lie the files that it adds (`files/`), symbolic links
(`links.txt`), directories (`directories.txt`) and what is run in a container at the end (`finish.sh`).
"""

from docker_tutor.images.recipes.choice import Plan, choose, plan_for
from docker_tutor.images.recipes.recipe import Recipe, Variant, recipes

__all__ = ["Plan", "Recipe", "Variant", "choose", "plan_for", "recipes"]
