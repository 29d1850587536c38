import pytest

from docker_tutor.classroom.expectations import Expectation, approx, at_least, at_most, between, shown
from docker_tutor.units import MiB


@pytest.mark.parametrize(
    ("expectation", "inside", "outside"),
    [
        (between(1.8, 2.2), (1.8, 2, 2.2), (1.79, 2.21)),
        (at_least(3), (3, 400), (2.9, -1)),
        (at_most(3), (3, -400), (3.1, 9)),
        (approx(0.5), (0.45, 0.55), (0.44, 0.56)),
        (approx(200, within=0.01), (198, 202), (197, 203)),
        (approx(-10), (-9, -11), (-8.9, 10)),
    ],
)
def test_values_inside_hold_and_values_outside_do_not(
    expectation: Expectation, inside: tuple[float, ...], outside: tuple[float, ...]
) -> None:
    assert all(expectation.holds(value) for value in inside)
    assert not any(expectation.holds(value) for value in outside)


def test_expectations_say_themselves_in_words() -> None:
    assert between(1.8, 2.2).words == "between 1.8 and 2.2"
    assert at_least(64 * MiB).words == "at least 67108864 (64 MiB)"
    assert at_most(3).words == "at most 3"
    assert approx(0.5).words == "0.5, give or take 10 %"


def test_an_empty_range_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="can never hold"):
        between(2, 1)
    with pytest.raises(ValueError, match="can never hold"):
        approx(1, within=-0.1)


def test_long_values_are_cut_and_texts_of_several_lines_stay_readable() -> None:
    assert shown("x" * 1000).endswith("x …")
    assert shown("one\ntwo") == "one\ntwo"
    assert shown("one") == "'one'"
    yes = True
    assert shown(yes) == "True"
    assert shown(1.23456789) == "1.23457"
