"""When a measurement has come to rest."""

from docker_tutor.topics.anatomy import _falls


def test_a_least_that_the_last_turns_brought_is_no_rest() -> None:
    assert _falls([[(3.0, 1.0), (3.0, 1.0), (2.0, 1.0)]], last=1)
    assert _falls([[(3.0, 1.0)] * 3, [(3.0, 5.0), (3.0, 5.0), (3.0, 4.0)]], last=1)


def test_a_least_that_stays_within_two_percent_is_rest() -> None:
    assert not _falls([[(2.0, 1.0), (3.0, 1.0), (1.97, 2.0)]], last=1)


def test_where_outside_is_not_reachable_only_inside_counts() -> None:
    assert not _falls([[(2.0, 1.0), (2.0, 1.0)], []], last=1)
