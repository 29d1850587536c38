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
        ("postgres:16", "trixie", False),
        ("postgres:15-alpine", "bookworm", True),
        ("redis:7-alpine", "bookworm", True),
        ("node:20-alpine", "trixie", True),
        ("golang:1.22-alpine", "trixie", False),
        ("eclipse-temurin:21-jdk-alpine", "trixie", True),
        ("maven:3.9-eclipse-temurin-21", "trixie", True),
        ("registry:2", "bookworm", True),
        ("ubuntu:22.04", "bookworm", True),
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


def test_a_note_without_a_version_ends_in_one_full_stop() -> None:
    assert chosen("ubuntu:22.04").note("").endswith("in the place of Ubuntu.")


def test_a_name_without_a_recipe_has_no_plan() -> None:
    assert choose(Reference.parse("nobody/nothing:1")) is None


def test_every_recipe_rests_on_others_that_exist_and_ends_on_none() -> None:
    for recipe in recipes().values():
        for variant in recipe.variants:
            plan: Plan | None = Plan(recipe, variant)
            while plan is not None and plan.base is not None:
                assert plan.base.variant.suite == variant.suite, f"{recipe.family} on {plan.base.recipe.family}"
                plan = plan.base


def test_no_name_has_two_recipes() -> None:
    names = [(name, tag) for recipe in recipes().values() for name in recipe.names for tag in recipe.tags]
    assert len(names) == len(set(names))


def test_every_script_that_a_recipe_adds_is_marked_as_one() -> None:
    for recipe in recipes().values():
        for path, file in recipe.added_files().items():
            if path.endswith(".sh") or "/bin/" in path or "/sbin/" in path:
                assert file.read_bytes().startswith(b"#!"), path


def test_a_changed_recipe_has_another_digest() -> None:
    digests = {recipe.digest() for recipe in recipes().values()}
    assert len(digests) == len(recipes())


def test_two_recipes_may_share_a_repository_by_its_tags() -> None:
    assert chosen("eclipse-temurin:21-jre-alpine").recipe.family == "temurin_jre"
    assert chosen("eclipse-temurin:21-jdk-alpine").recipe.family == "temurin_jdk"
    assert chosen("eclipse-temurin:21").recipe.family == "temurin_jdk"


def test_an_image_on_an_image_keeps_the_commands_of_alpine() -> None:
    plan = chosen("maven:3.9-eclipse-temurin-21-alpine")
    assert plan.base is not None
    assert plan.base.base is not None
    assert plan.base.base.recipe.family == "alpine_like"


def test_a_tag_may_say_more_about_the_configuration() -> None:
    plan = chosen("gcr.io/distroless/static-debian12:nonroot")
    assert plan.config_for("nonroot") == {"User": "65532", "WorkingDir": "/home/nonroot"}
    assert plan.config_for("latest") == {}
