import time

import pytest

from docker_tutor.gateway.prunes import _filters, _moment, _old
from docker_tutor.gateway.requests import Request


def filters(text: str) -> dict[str, list[str]]:
    return _filters(Request("POST", "/containers/prune", {"filters": [text]}))


@pytest.mark.parametrize(("text", "ago_s"), [("24h", 86400), ("1h30m", 5400), ("10s", 10), ("1.5m", 90)])
def test_a_duration_counts_back_from_now(text: str, ago_s: float) -> None:
    assert _moment(text) == pytest.approx(time.time() - ago_s, abs=5)


def test_times_and_seconds_are_moments_too() -> None:
    assert _moment("1700000000") == 1_700_000_000
    assert _moment("2023-11-14T22:13:20Z") == 1_700_000_000
    assert _moment("2023-11-14T22:13:20.123456789Z") == pytest.approx(1_700_000_000.123456)


def test_both_forms_of_filters_are_read() -> None:
    assert filters('{"label": {"a": true}}')["label"] == ["a"]
    assert filters('{"label": ["a", "b"]}')["label"] == ["a", "b"]
    assert _filters(Request("POST", "/containers/prune"))["_before"] == []


@pytest.mark.parametrize("text", ['{"until": ["whenever"]}', '{"unknown": ["x"]}', "no json"])
def test_a_filter_that_is_not_understood_is_no_licence_to_prune_more(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        filters(text)


def test_what_is_younger_than_asked_stays() -> None:
    assert _old(time.time() - 100, filters('{"until": ["10s"]}'))
    assert not _old(time.time(), filters('{"until": ["10s"]}'))
