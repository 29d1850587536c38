"""Points for what was found: what the lab itself has given earns nothing alone."""

import pytest

from docker_tutor.grading.findings import Claim, Found, Outcome

CLAIMS = (Claim("builds", "it builds", given=True), Claim("small", "it is small", 2), Claim("clean", "it is clean"))


def outcome(*held: str) -> Outcome:
    return Outcome.of("task", CLAIMS, {key: Found(key, held=True) for key in held}, hidden=True)


@pytest.mark.parametrize(
    ("held", "points"),
    [((), 0), (("builds",), 0), (("builds", "clean"), 2), (("small",), 2), (("builds", "small", "clean"), 4)],
)
def test_what_was_given_earns_its_points_with_the_first_thing_that_was_done(
    held: tuple[str, ...], points: float
) -> None:
    assert outcome(*held).points == points
    assert outcome(*held).max_points == 4


def test_each_finding_says_what_it_earned() -> None:
    left = outcome("builds")
    assert [left.reached(finding) for finding in left.findings] == [0, 0, 0]
    begun = outcome("builds", "clean")
    assert [begun.reached(finding) for finding in begun.findings] == [1, 0, 1]
