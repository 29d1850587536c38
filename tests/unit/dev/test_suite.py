import subprocess
import sys
from pathlib import Path

import pytest

from docker_tutor.dev import suite
from docker_tutor.dev.suite import Result, Step


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "_nothing_left", lambda before: Result("nothing left running"))


def only(monkeypatch: pytest.MonkeyPatch, *steps: Step) -> list[str]:
    monkeypatch.setattr(suite, "steps", lambda part, arguments: iter(steps))
    lines: list[str] = []
    suite.run("lint", (), say=lines.append)
    return lines


def test_the_last_line_counts_tests_and_steps_as_any_runner_writes_it() -> None:
    results = [
        Result("mypy"),
        Result("ruff", failed=True),
        Result("unit", passed=5, skipped=1),
        Result("x", note="no go"),
    ]
    assert suite.summary(results)[-1] == "6 passed, 1 failed, 1 skipped"


def test_a_failing_step_stops_nothing_and_fails_the_whole(no_engine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = only(monkeypatch, Step("bad", "lint", ("false",)), Step("good", "lint", ("true",)))
    assert [line[0] for line in lines if "bad " in line or "good " in line if line[0] in "✓✗"] == ["✗", "✓"]
    assert lines[-1] == "2 passed, 1 failed, 0 skipped"


def test_what_cannot_be_had_here_is_said_and_fails_nothing(no_engine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = only(monkeypatch, Step("lint of workflows", "lint", ("no-such-program",), missing="Go is not here"))
    assert any(line.startswith("–") and "Go is not here" in line for line in lines)
    assert lines[-1] == "1 passed, 0 failed, 0 skipped"


def test_a_pytest_that_ends_before_it_counts_has_failed(tmp_path: Path) -> None:
    assert suite._with_counts(Result("unit"), tmp_path / "not-there.xml").failed


def test_counts_are_read_from_what_pytest_wrote(tmp_path: Path) -> None:
    path = tmp_path / "counts.xml"
    path.write_text('<testsuites><testsuite tests="9" failures="2" errors="1" skipped="3"/></testsuites>')
    result = suite._with_counts(Result("unit"), path)
    assert (result.passed, result.broken, result.skipped) == (3, 3, 3)


def test_every_test_and_notebook_is_in_one_step_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite.actionlint, "program", lambda: "not looked for")
    root = suite.paths.checkout()
    steps = list(suite.steps("all", ()))
    assert list(dict.fromkeys(step.part for step in steps)) == list(suite.PARTS)
    assert len({step.name for step in steps}) == len(steps)
    for part, folder, pattern in (
        ("engine", "tests/engine", "test_*.py"),
        ("labs", "tests/labs", "test_*.py"),
        ("notebooks", "notebooks", "*.ipynb"),
    ):
        there = sorted(str(path.relative_to(root)) for path in (root / folder).rglob(pattern) if "." not in path.parts)
        commands = [step.command for step in steps if step.part == part]
        assert sorted(word for command in commands for word in command if word in there) == there


def test_a_part_by_itself_is_one_command_for_its_folder() -> None:
    for part, folder in (("engine", "tests/engine"), ("labs", "tests/labs")):
        (step,) = suite.steps(part, ())
        assert folder in step.command


def test_without_a_browser_the_suite_says_in_one_sentence_what_to_get(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite.shutil, "which", lambda name: None)
    monkeypatch.setattr(suite, "find_spec", lambda name: object())
    assert [step.missing for step in suite.steps("browser", ())] == [
        "chromium is not in PATH: apt-get install chromium brings it"
    ]
    monkeypatch.setattr(suite, "find_spec", lambda name: None)
    (step,) = suite.steps("browser", ())
    assert step.missing.startswith("Playwright is not installed here")


def test_with_a_browser_the_course_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(suite, "find_spec", lambda name: object())
    (step,) = suite.steps("browser", ())
    assert (step.missing, step.engine) == ("", "")
    assert "tests/browser" in step.command


def test_words_after_the_part_go_to_pytest() -> None:
    (step,) = suite.steps("engine", ("-k", "memory"))
    assert step.command[-2:] == ("-k", "memory")


CHILD = """
import signal, sys
from pathlib import Path
def end(number, frame):
    Path("down").touch()
    sys.exit(1)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
signal.pause()
"""
PARENT = """
import sys
from docker_tutor.dev import suite, testengine
testengine.endable()
try:
    suite._attempt(suite.Step("waits", "engine", (sys.executable, "child.py")))
except KeyboardInterrupt:
    print("ended", flush=True)
"""


def test_a_suite_that_is_ended_lets_its_tests_take_their_engine_down(tmp_path: Path) -> None:
    (tmp_path / "child.py").write_text(CHILD, encoding="utf-8")
    parent = PARENT.replace(
        "testengine.endable()", f"suite.paths.checkout = lambda: {str(tmp_path)!r}; testengine.endable()"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        running.terminate()
        assert running.communicate()[0] == "ended\n"
    assert (tmp_path / "down").exists()
