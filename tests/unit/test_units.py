import re

import pytest

from docker_tutor.units import GiB, KiB, MiB, human_bytes, human_seconds


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (KiB, "1 KiB"),
        (1536, "1.5 KiB"),
        (64 * MiB, "64 MiB"),
        (123.4 * MiB, "123 MiB"),
        (3 * GiB, "3 GiB"),
        (-2 * MiB, "-2 MiB"),
    ],
)
def test_bytes_are_written_as_a_person_reads_them(count: float, text: str) -> None:
    assert human_bytes(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0000005, "0 µs"),
        (0.00025, "250 µs"),
        (0.0123, "12.3 ms"),
        (1, "1.0 s"),
        (59.94, "59.9 s"),
        (125, "2 min 5 s"),
    ],
)
def test_durations_are_written_as_a_person_reads_them(seconds: float, text: str) -> None:
    assert human_seconds(seconds) == text


@pytest.mark.parametrize("seconds", [59.96, 119.7, 3599.9])
def test_rounding_never_writes_sixty_seconds(seconds: float) -> None:
    assert not re.search(r"\b60(\.0)? s", human_seconds(seconds))


@pytest.mark.parametrize("count", [KiB - 0.4, MiB - 1, GiB - 1])
def test_rounding_never_writes_1024_of_a_unit(count: float) -> None:
    assert not human_bytes(count).startswith("1024 ")
