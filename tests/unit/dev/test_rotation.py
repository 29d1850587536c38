import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docker_tutor import paths
from docker_tutor.dev import rotation

THIS = "tests/unit/dev/test_rotation.py"


def on_day(monkeypatch: pytest.MonkeyPatch, day: int) -> None:
    monkeypatch.setattr(rotation, "today", lambda: 739_000 + day)


def test_within_so_many_days_each_has_its_turn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    things = list("abcdefgh")
    turns = []
    for day in range(3):
        on_day(monkeypatch, day)
        turns += rotation.of_today(things, 3)
    assert sorted(turns) == things


def test_choices_side_by_side_can_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    on_day(monkeypatch, 0)
    assert len({rotation.of_today("abc", 3, first)[0] for first in range(3)}) == 3


def test_those_marked_alike_take_turns_among_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    marked = {"a": 2, "b": 3, "c": 2, "d": 3, "e": 3}
    for day in range(6):
        on_day(monkeypatch, day)
        turns = set(marked) - set(rotation.of_other_days(marked))
        assert (len(turns & {"a", "c"}), len(turns & {"b", "d", "e"})) == (1, 1)


@pytest.mark.parametrize(
    ("variable", "words", "chosen"),
    [
        ("quick", [THIS, "-k", "test_a_turn"], 1),
        ("whole", [THIS, "-k", "test_a_turn"], 3),
        ("quick", [f"{THIS}::test_a_turn"], 3),
    ],
    ids=["quick", "whole", "named"],
)
def test_pytest_runs_those_of_today_in_a_quick_suite_and_all_in_a_whole_one_and_what_is_named(
    variable: str, words: list[str], chosen: int, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:nbval", "-o", f"cache_dir={tmp_path}", *words],
        env=os.environ | {rotation.VARIABLE: variable},
        cwd=paths.checkout(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.search(rf"\b{chosen} passed", done.stdout), done.stdout


@pytest.mark.one_in(3)
@pytest.mark.parametrize("each", range(3))
def test_a_turn(each: int) -> None:
    assert each in range(3)
