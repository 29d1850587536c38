import pytest

from docker_tutor.grading.draws import Draw, Values

KEYS = [f"{number:016x}" for number in range(200)]


def test_a_draw_is_the_same_every_time_in_whatever_order() -> None:
    one, other = Draw("ab", "lab1/x"), Draw("ab", "lab1/x")
    first = (one.number("a", 1, 1000), one.name("b"))
    assert (other.name("b"), other.number("a", 1, 1000)) == first[::-1]


def test_numbers_reach_both_ends_and_keep_to_their_step() -> None:
    drawn = {Draw(key, "x").number("n", 40, 96, 8) for key in KEYS}
    assert drawn == set(range(40, 97, 8))


def test_two_students_hardly_ever_share_a_name_or_a_token() -> None:
    assert len({Draw(key, "x").token("t") for key in KEYS}) == len(KEYS)
    assert len({Draw(key, "x").name("n") for key in KEYS}) > len(KEYS) - 3


def test_a_name_is_one_that_containers_images_and_networks_may_have() -> None:
    for key in KEYS:
        assert Draw(key, "x").name("n").replace("-", "").isalnum()


def test_values_are_filled_in_and_braces_left_alone() -> None:
    me = Values({"name": "calm-oar", "mib": 64})
    assert (
        me.fill("docker inspect «name» -f '{{.Id}}' «mib»m «other»")
        == "docker inspect calm-oar -f '{{.Id}}' 64m «other»"
    )
    assert (me.name, me["mib"], len(me)) == ("calm-oar", 64, 2)
    with pytest.raises(AttributeError):
        _ = me.missing
