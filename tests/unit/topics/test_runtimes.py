"""What a runtime said is shown without what the programs above it put around; wrappers start what they wrap."""

import subprocess
from pathlib import Path

import pytest

from docker_tutor.engines import runtimes as programs
from docker_tutor.topics import runtimes

SAID = {
    "docker: Error response from daemon: failed to create task for container: failed to create shim task: "
    "OCI runtime create failed: cgroups in hybrid mode not supported: unknown.": "cgroups in hybrid mode not supported",
    "docker: Error response from daemon: failed to start shim: no such file: unknown.\nRun 'docker run --help'": (
        "no such file"
    ),
    "docker: Error response from daemon: unknown or invalid runtime name: x.": "unknown or invalid runtime name: x",
}


@pytest.mark.parametrize("stderr", SAID)
def test_the_runtimes_own_words_are_found(stderr: str) -> None:
    assert runtimes._last_words(stderr) == SAID[stderr]


@pytest.mark.parametrize(
    ("written", "seconds"), [("real\t0m 0.28s\n", 0.28), ("real\t1m2.5s", 62.5), ("real 3.1", 3.1)]
)
def test_the_time_of_every_shell_is_read(written: str, seconds: float) -> None:
    found = runtimes.REAL.search(written)
    assert found
    assert 60 * int(found[1] or 0) + float(found[2]) == seconds


def test_a_wrapper_is_a_script_that_prepares_and_becomes_the_program(tmp_path: Path) -> None:
    cure = programs.Cure("none", "true", "")
    script = programs.wrap(Path("/opt/crun"), cure, tmp_path)
    assert script.name == "crun.none"
    assert "--mount --propagation slave" in script.read_text()
    assert 'true && exec /opt/crun "$@"' in script.read_text()
    subprocess.run(["sh", "-n", script], check=True)


def test_youki_is_looked_for_where_its_command_puts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    assert programs.youki() is None
    assert str(tmp_path) in programs.command_for_youki()
    built = tmp_path / "docker-tutor/youki/bin/youki"
    built.parent.mkdir(parents=True)
    built.touch()
    assert programs.youki() == built
