"""The script that everything starts with, with stand-ins for the programs that it calls."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from docker_tutor import paths

UV = """#!/bin/sh
echo "uv $* ${UV_DEFAULT_INDEX:-}" >> "$CALLS"
case "$1" in
    venv) for last; do :; done; mkdir -p "$last/bin"; cp "$0" "$last/bin/python" ;;
    -m) exit 1 ;; # an environment that uv made has no pip
    pip) printf '#!/bin/sh\\necho "docker-tutor $*"\\n' > .venv/bin/docker-tutor; chmod +x .venv/bin/docker-tutor ;;
esac
"""
PYTHON = """#!/bin/sh
echo "python $*" >> "$CALLS"
case "$*" in
    *"-m venv"*) for last; do :; done; mkdir -p "$last/bin"; cp "$0" "$last/bin/python" ;;
    *requirements-uv.txt) [ -e "$UV" ] && cp "$UV" .venv/bin/uv ;;
    *"config get"*) echo https://packages.example/simple ;;
    *--editable*) printf '#!/bin/sh\\necho "docker-tutor $*"\\n' > .venv/bin/docker-tutor
        chmod +x .venv/bin/docker-tutor ;;
esac
"""
PYTHON_WITHOUT_VENV = """#!/bin/sh
case "$2" in
    *ensurepip*) exit 1 ;;
esac
"""


@dataclass
class Checkout:
    folder: Path
    programs: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self.programs}:/usr/bin:/bin",
            "CALLS": str(self.folder / "calls"),
            "UV": str(self.folder / "uv-to-be-had"),
        }
        return subprocess.run(
            ["./course", *words], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )

    def calls(self) -> list[str]:
        """Return what the stand-ins were called with since the last time."""
        file = self.folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        file.write_text("")
        return [line.rstrip() for line in lines]

    def add(self, name: str, script: str) -> None:
        (self.programs / name).write_text(script)
        (self.programs / name).chmod(0o755)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    folder, programs = tmp_path / "a checkout", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    shutil.copy(paths.checkout() / "course", folder)
    for name in ("requirements.txt", "requirements-dev.txt"):
        (folder / name).write_text(f"{name}\n")
    made = Checkout(folder, programs)
    made.add("python3", "#!/bin/sh\n")
    made.add("uv", UV)
    return made


@pytest.mark.parametrize("words", [(), ("--help",), ("help",)])
def test_alone_it_explains_itself_and_touches_nothing(checkout: Checkout, words: tuple[str, ...]) -> None:
    run = checkout.run(*words)
    assert run.returncode == 0
    for word in ("start", "stop", "test", "doctor", "engine", "images", "clean", "shell", "reset"):
        assert f"./course {word}" in run.stdout
    assert not (checkout.folder / ".venv").exists()


def test_the_first_word_sets_up_from_the_hashed_list_and_hands_over(checkout: Checkout) -> None:
    run = checkout.run("start", "--port", "9000")
    assert run.stdout == "docker-tutor start --port 9000\n"
    made, listed, package = checkout.calls()
    assert made.startswith("uv venv")
    assert "--require-hashes" in listed
    assert listed.endswith("/requirements.txt")
    assert "--no-index --no-build-isolation" in package


def test_the_second_time_nothing_is_installed(checkout: Checkout) -> None:
    checkout.run("start")
    checkout.calls()
    assert checkout.run("start").stdout == "docker-tutor start\n"
    assert checkout.calls() == []


def test_a_changed_list_is_installed_into_the_environment_that_there_is(checkout: Checkout) -> None:
    checkout.run("start")
    checkout.calls()
    (checkout.folder / "requirements.txt").write_text("newer\n")
    checkout.run("start")
    calls = checkout.calls()
    assert sum(call.startswith("uv pip install") for call in calls) == 2
    assert not any(call.startswith("uv venv") for call in calls)


def test_those_who_test_get_the_longer_list_and_learning_goes_on_with_it(checkout: Checkout) -> None:
    checkout.run("test", "unit")
    assert any(call.endswith("requirements-dev.txt") for call in checkout.calls())
    checkout.run("start")
    assert checkout.calls() == []


def test_a_folder_that_was_moved_is_set_up_anew(checkout: Checkout) -> None:
    checkout.run("start")
    moved = Checkout(checkout.folder.rename(checkout.folder.with_name("moved")), checkout.programs)
    moved.calls()
    assert moved.run("start").returncode == 0
    assert moved.calls()[0].startswith("uv venv")


def test_a_set_up_that_fails_says_so_and_is_tried_again(checkout: Checkout) -> None:
    checkout.add("uv", UV.replace("pip)", "pip) exit 1;;\n    none)"))
    run = checkout.run("start")
    assert run.returncode == 1
    assert "did not finish" in run.stderr
    checkout.add("uv", UV)
    assert checkout.run("start").returncode == 0


@pytest.fixture
def without_uv(checkout: Checkout) -> Checkout:
    (checkout.programs / "uv").rename(checkout.folder / "uv-to-be-had")
    checkout.add("python3", PYTHON)
    return checkout


def test_a_machine_without_uv_gets_one_in_the_environment_that_asks_where_pip_asks(without_uv: Checkout) -> None:
    run = without_uv.run("start")
    assert run.stdout == "docker-tutor start\n", run.stderr
    calls = without_uv.calls()
    assert [call for call in calls if "requirements-uv.txt" in call and "--require-hashes" in call]
    (listed,) = (call for call in calls if call.startswith("uv") and "requirements.txt" in call)
    assert listed.endswith("/requirements.txt https://packages.example/simple")
    (without_uv.folder / "requirements.txt").write_text("newer\n")
    without_uv.run("start")
    assert not any("requirements-uv.txt" in call for call in without_uv.calls())


@pytest.mark.parametrize("there", [False, True], ids=["not to be had", "does not manage"])
def test_where_uv_is_no_help_pip_installs(without_uv: Checkout, there: bool) -> None:
    uv = without_uv.folder / "uv-to-be-had"
    uv.unlink()
    if there:
        uv.write_text("#!/bin/sh\nexit 2\n")
        uv.chmod(0o755)
    run = without_uv.run("start")
    assert run.stdout == "docker-tutor start\n", run.stderr
    assert ("pip tries" in run.stderr) == there
    assert [call for call in without_uv.calls() if call.startswith("python") and call.endswith("/requirements.txt")]


def test_a_machine_without_the_venv_module_is_told_the_one_command_to_type(checkout: Checkout) -> None:
    (checkout.programs / "uv").unlink()
    checkout.add("python3", PYTHON_WITHOUT_VENV)
    run = checkout.run("start")
    assert run.returncode == 1
    assert "apt-get install python3-venv" in run.stderr
    assert not (checkout.folder / ".venv").exists()
