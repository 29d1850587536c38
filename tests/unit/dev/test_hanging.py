"""What a test that takes too long waits for."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from docker_tutor.dev import hanging


def test_the_processes_below_are_named_with_their_age() -> None:
    with subprocess.Popen([sys.executable, "-c", "input() # a cell's own"], stdin=subprocess.PIPE) as child:
        said = hanging.waiting()
        child.communicate(b"\n")
    assert f"{child.pid} below" in said
    assert "a cell's own" in said


@pytest.mark.parametrize(("engine", "limit_s"), [("private", 300), ("uml", 300), ("qemu", hanging.EMULATED_S)])
def test_a_cell_has_more_time_under_emulation_alone(
    monkeypatch: pytest.MonkeyPatch, engine: str, limit_s: float
) -> None:
    monkeypatch.setenv("DOCKER_TUTOR_ENGINE", engine)
    config = cast("pytest.Config", SimpleNamespace(option=SimpleNamespace(nbval_cell_timeout=300)))
    hanging.pytest_configure(config)
    assert config.option.nbval_cell_timeout == limit_s


def test_the_report_of_a_slow_test_says_what_ran(tmp_path: Path) -> None:
    (tmp_path / "test_slow.py").write_text(
        "import subprocess, sys\n"
        "from docker_tutor.dev import hanging\n"
        "hanging.AFTER_S = 0.2\n"
        "def test_slow():\n"
        "    subprocess.run([sys.executable, '-c', 'import time; time.sleep(2)  # it hangs'])\n"
        "    assert False\n"
        "def test_primer(): pass\n",
        encoding="utf-8",
    )
    plugins = ("-p", "docker_tutor.dev.hanging", "-p", "no:cacheprovider", "-p", "no:nbval")
    words = [sys.executable, "-m", "pytest", *plugins, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert "1 failed, 1 passed" in done.stdout
    assert "it hangs" in done.stdout.partition("processes after 0.2 s")[2]
