"""Lanes of the suite side by side, with steps that stand for the long ones."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from docker_tutor import paths
from docker_tutor.dev import lanes, suite, testengine
from docker_tutor.dev.suite import Result, Step
from docker_tutor.units import GiB

LANE = f"""
import os, sys
from pathlib import Path
from docker_tutor import paths
from docker_tutor.dev import lanes, suite
paths.checkout = Path.cwd
tells = suite.Step("labs", "labs", ("sh", "-c", "echo > done"))
suite.steps = lambda part, arguments: iter([suite.Step("engine tests", "engine", ("true",)), tells])
suite._nothing_left = lambda before: suite.Result("nothing left")
print("in lane", os.environ["{testengine.LANE}"], flush=True)
suite.run_beside(Path(sys.argv[1]), (), say=print)
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "checkout", lambda: tmp_path)
    monkeypatch.setattr(suite, "_nothing_left", lambda before: Result("nothing left running"))
    monkeypatch.setattr(lanes, "number", lambda: 2)
    os.mkfifo(tmp_path / "done")
    # It goes on until another lane has carried out the next step.
    busy = Step("engine tests", "engine", ("cat", "done"))
    monkeypatch.setattr(suite, "steps", lambda part, arguments: iter([busy, Step("labs", "labs", ("true",))]))
    return tmp_path


def the_second_lane_is(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started = subprocess.Popen

    def start(command: tuple[str, ...], **options: object) -> "subprocess.Popen[bytes]":
        if "--beside" in command:
            command = (sys.executable, "-c", program, command[command.index("--beside") + 1])
        return started(command, **options)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(subprocess, "Popen", start)


def only_quick_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [Step("types", "lint", ("true",)), Step("labs", "labs", ("true",))]
    monkeypatch.setattr(suite, "steps", lambda part, arguments: iter(steps))


def test_each_step_is_carried_out_by_the_lane_that_claims_it(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    the_second_lane_is(LANE, monkeypatch)
    said: list[str] = []
    results = suite.run("all", (), say=said.append)
    assert [each.name for each in results] == ["engine tests", "labs", "nothing left of lane b", "nothing left running"]
    assert not any(each.failed for each in results)
    shown = "\n".join(said)
    assert shown.index("engine tests ──") < shown.index("in lane b") < shown.index("labs ──")


def test_a_step_is_claimed_once(checkout: Path) -> None:
    (checkout / "test-artefacts/lanes").mkdir(parents=True)
    assert [lanes.claim("outputs: 00/α"), lanes.claim("outputs: 00/α"), lanes.claim("other")] == [True, False, True]


def test_claims_of_an_earlier_run_are_forgotten(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_quick_steps(monkeypatch)
    the_second_lane_is("open(__import__('sys').argv[1], 'w').write('[]')", monkeypatch)
    for _turn in range(2):
        assert [each.name for each in suite.run("all", (), say=[].append)][:2] == ["types", "labs"]


@pytest.mark.parametrize(
    ("cpus", "gigabytes", "lanes_there"), [(1, 64, 1), (2, 2, 1), (2, 8, 2), (2, 12, 3), (64, 512, 3)]
)
def test_a_machine_has_as_many_lanes_as_it_has_room_for(
    monkeypatch: pytest.MonkeyPatch, cpus: int, gigabytes: int, lanes_there: int
) -> None:
    monkeypatch.setattr(lanes.os, "cpu_count", lambda: cpus)
    memory = SimpleNamespace(total=gigabytes * GiB)
    monkeypatch.setattr(lanes.psutil, "virtual_memory", lambda: memory)
    assert lanes.number() == lanes_there


def test_a_lane_that_ends_without_results_fails_the_suite(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_quick_steps(monkeypatch)
    the_second_lane_is("raise SystemExit(3)", monkeypatch)
    results = suite.run("all", (), say=[].append)
    assert ("lane b", True, "it ended with 3 and no results") in [
        (each.name, each.failed, each.note) for each in results
    ]


def test_results_come_through_a_file_unchanged(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_quick_steps(monkeypatch)
    told = Result("labs", failed=True, seconds=1.5, passed=3, broken=1, failures=("✗ a\n    b",))
    the_second_lane_is(f"open(__import__('sys').argv[1], 'w').write({json.dumps([asdict(told)])!r})", monkeypatch)
    assert told in suite.run("all", (), say=[].append)


def test_what_goes_wrong_beside_them_ends_the_other_lanes(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    the_second_lane_is("import signal; signal.pause()", monkeypatch)
    with pytest.raises(ZeroDivisionError), lanes.beside((), [].append) as others:
        raise ZeroDivisionError
    assert [lane.process.returncode != 0 for lane in others] == [True]


def test_a_lanes_engines_have_names_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(testengine.LANE, raising=False)  # this test may be run in any lane itself
    first = testengine.environment()["DOCKER_TUTOR_INSTANCE"]
    monkeypatch.setenv(testengine.LANE, "b")
    assert testengine.environment()["DOCKER_TUTOR_INSTANCE"] == f"{first}b"
