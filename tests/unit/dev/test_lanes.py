"""Two lanes of the suite, with steps that stand for the long ones."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from docker_tutor import paths
from docker_tutor.dev import lanes, suite, testengine
from docker_tutor.dev.suite import Result, Step

LANE = f"""
import os, sys
from pathlib import Path
from docker_tutor.dev import suite
quick = lambda name, part: suite.Step(name, part, ("true",))
suite.steps = lambda part, arguments: iter([quick("engine tests", "engine"), quick("labs", "labs")])
suite._nothing_left = lambda before: suite.Result("nothing left")
print("in lane", os.environ["{testengine.LANE}"], flush=True)
suite.run_beside(Path(sys.argv[1]), (), say=print)
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "checkout", lambda: tmp_path)
    monkeypatch.setattr(suite, "_nothing_left", lambda before: Result("nothing left running"))
    monkeypatch.setattr(lanes, "possible", lambda: True)
    steps = [Step("types", "lint", ("true",)), Step("engine tests", "engine", ("true",)), Step("labs", "labs", ("no",))]
    monkeypatch.setattr(suite, "steps", lambda part, arguments: iter(steps))
    return tmp_path


def the_second_lane_is(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started = subprocess.Popen

    def start(command: tuple[str, ...], **options: object) -> "subprocess.Popen[bytes]":
        if "--beside" in command:
            command = (sys.executable, "-c", program, command[command.index("--beside") + 1])
        return started(command, **options)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(subprocess, "Popen", start)


def test_each_step_is_carried_out_in_one_of_two_lanes(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    the_second_lane_is(LANE, monkeypatch)
    said: list[str] = []
    results = suite.run("all", (), say=said.append)
    assert [each.name for each in results] == [
        "types",
        "engine tests",
        "labs",
        "nothing left of the second lane",
        "nothing left running",
    ]
    assert not any(each.failed for each in results)
    shown = "\n".join(said)
    assert shown.index("engine tests ──") < shown.index("in lane b") < shown.index("labs ──")


def test_a_lane_that_ends_without_results_fails_the_suite(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    the_second_lane_is("raise SystemExit(3)", monkeypatch)
    results = suite.run("all", (), say=[].append)
    assert ("the second lane", True, "it ended with 3 and no results") in [
        (each.name, each.failed, each.note) for each in results
    ]


def test_results_come_through_a_file_unchanged(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Result("labs", failed=True, seconds=1.5, passed=3, broken=1, failures=("✗ a\n    b",))
    the_second_lane_is(f"open(__import__('sys').argv[1], 'w').write({json.dumps([asdict(told)])!r})", monkeypatch)
    (checkout / "test-artefacts").mkdir()
    assert told in suite.run("all", (), say=[].append)


def test_what_goes_wrong_beside_it_ends_the_second_lane(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    the_second_lane_is("import signal; signal.pause()", monkeypatch)
    with pytest.raises(ZeroDivisionError), lanes.beside((), [].append) as lane:
        raise ZeroDivisionError
    assert lane.returncode


def test_a_lanes_engines_have_names_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    first = testengine.environment()["DOCKER_TUTOR_INSTANCE"]
    monkeypatch.setenv(testengine.LANE, "b")
    assert testengine.environment()["DOCKER_TUTOR_INSTANCE"] == f"{first}b"
