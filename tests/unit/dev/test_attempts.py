"""The second attempt of a few tests that failed."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from docker_tutor import paths
from docker_tutor.dev import attempts, suite
from docker_tutor.dev.suite import Result, Step
from docker_tutor.progress import silent

MOODY = """
from pathlib import Path
def test_always(): pass
def test_moody():
    mark = Path(__file__).with_name("tried")
    tried = mark.exists()
    mark.touch()
    assert tried
"""


def carried_out(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Result:
    (folder / "test_them.py").write_text(text, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    monkeypatch.setattr(paths, "checkout", lambda: folder)
    step = Step("moods", "engine", suite._pytest("moods", "test_them.py"))
    (result,) = suite._once_more([step], [suite._carry_out(step)], [].append, silent)
    return result


def test_what_passes_the_second_time_passes_and_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = carried_out(tmp_path, monkeypatch, MOODY)
    assert (result.failed, result.passed, result.broken) == (False, 2, 0)
    assert result.note == "only the second time: test_them.py::test_moody"
    assert "✓ moods" in "\n".join(suite.summary([result]))


def test_what_fails_twice_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = carried_out(tmp_path, monkeypatch, "def test_always(): pass\ndef test_never(): assert False\n")
    assert (result.failed, result.passed, result.broken, result.note) == (True, 1, 1, "")


def test_many_failures_are_no_bad_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = MOODY + "\n".join(f"def test_{number}(): assert False" for number in range(attempts.FEW))
    result = carried_out(tmp_path, monkeypatch, many)
    assert (result.failed, result.broken) == (True, attempts.FEW + 1)


def test_a_notebook_is_tried_again_as_a_whole_and_the_rest_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    ids = [f"notebooks/07.ipynb::Cell {number}" for number in range(90)]
    command = ("python", "-m", "pytest", "--nbval", "notebooks", "-k", "x")
    names = attempts.names(ids)
    assert names == ["notebooks/07.ipynb"]
    again = attempts.second(command, names, tmp_path)
    assert again == ("python", "-m", "pytest", "--nbval", "-k", "x", "notebooks/07.ipynb")


def test_few_failures_in_each_of_many_steps_are_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "checkout", lambda: tmp_path)
    steps = [Step(f"step {number}", "labs", suite._pytest(f"moods {number}")) for number in range(attempts.FEW + 1)]
    for step in steps:
        noted = Path(suite._option(step, "cache_dir=")) / attempts.LAST_FAILED
        noted.parent.mkdir(parents=True)
        noted.write_text('{"test_them.py::test_moody": true}', encoding="utf-8")
    first = [Result(step.name, failed=True, broken=1) for step in steps]
    assert suite._once_more(steps, first, [].append, silent) == first
    tried: list[str] = []
    monkeypatch.setattr(suite, "_attempt", lambda step: tried.append(step.name) or Result(step.name))
    suite._once_more(steps[:-1], first[:-1], [].append, silent)
    assert tried == [step.name for step in steps[:-1]]


def test_the_projects_own_settings_let_pytest_note_what_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = paths.checkout() / "pyproject.toml"
    test = tmp_path / "test_never.py"
    test.write_text("def test_never(): assert False\n", encoding="utf-8")
    cache = tmp_path / "cache"
    options = ["-p", "no:nbval", "-c", str(settings), "-o", f"cache_dir={cache}"]
    command = [sys.executable, "-m", "pytest", *options, str(test)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout
    assert len(attempts.failed(cache)) == 1


def test_why_a_test_failed_is_told_by_the_end_of_its_report() -> None:
    lines = "\n".join(str(number) for number in range(attempts.TELLS_LINES + 5))
    case = ET.fromstring(f'<testcase classname="a.b" name="c"><failure message="m">{lines}\n\n</failure></testcase>')  # noqa: S314
    first, *rest = attempts.told(case).splitlines()
    assert first == "✗ a.b::c"
    assert [line.strip() for line in rest] == lines.splitlines()[-attempts.TELLS_LINES :]


def test_nothing_is_told_of_a_test_that_passed() -> None:
    assert attempts.told(ET.Element("testcase", {"name": "c"})) == ""
