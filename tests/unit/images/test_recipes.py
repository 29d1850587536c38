import pytest

from docker_tutor.images.recipes import Plan, choose, recipes
from docker_tutor.images.reference import Reference


def chosen(name: str) -> Plan:
    plan = choose(Reference.parse(name))
    assert plan is not None, name
    return plan


@pytest.mark.parametrize(
    ("name", "suite", "exact"),
    [
        ("python:3.11-slim", "bookworm", True),
        ("python:3.13-slim", "trixie", True),
        ("python:3.12-slim", "trixie", False),
        ("python:3.9", "bookworm", False),
        ("python:3-slim", "trixie", True),
        ("python", "trixie", True),
        ("debian:12-slim", "bookworm", True),
        ("debian:bookworm-slim", "bookworm", True),
        ("debian:trixie", "trixie", True),
        ("debian:13", "trixie", True),
    ],
)
def test_the_release_of_debian_with_the_nearest_version_is_taken(name: str, suite: str, *, exact: bool) -> None:
    plan = chosen(name)
    assert (plan.variant.suite, plan.exact) == (suite, exact)


def test_another_version_than_the_one_asked_for_is_said() -> None:
    assert chosen("python:3.12-slim").note("3.13.5").endswith("Python 3.13.5, the nearest that Debian has.")
    assert chosen("python:3.11-slim").note("3.11.2").endswith("Python 3.11.2.")


def test_a_tag_with_alpine_brings_the_commands_of_alpine() -> None:
    plain, alpine = chosen("nginx"), chosen("nginx:alpine")
    assert plain.base is not None
    assert alpine.base is not None
    assert (plain.base.recipe.family, alpine.base.recipe.family) == ("debian", "alpine_like")
    assert plain.key != alpine.key


def test_a_name_without_a_recipe_has_no_plan() -> None:
    assert choose(Reference.parse("nobody/nothing:1")) is None


def test_every_recipe_rests_on_others_that_exist_and_ends_on_none() -> None:
    for recipe in recipes().values():
        for variant in recipe.variants:
            plan: Plan | None = Plan(recipe, variant)
            while plan is not None and plan.base is not None:
                assert plan.base.variant.suite == variant.suite, f"{recipe.family} on {plan.base.recipe.family}"
                plan = plan.base


def test_no_repository_has_two_recipes() -> None:
    names = [name for recipe in recipes().values() for name in recipe.names]
    assert len(names) == len(set(names))


def test_every_script_that_a_recipe_adds_is_marked_as_one() -> None:
    for recipe in recipes().values():
        for path, file in recipe.added_files().items():
            if path.endswith(".sh") or "/bin/" in path or "/sbin/" in path:
                assert file.read_bytes().startswith(b"#!"), path


def test_a_changed_recipe_has_another_digest() -> None:
    digests = {recipe.digest() for recipe in recipes().values()}
    assert len(digests) == len(recipes())
