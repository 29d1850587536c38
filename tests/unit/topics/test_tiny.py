"""A program of a few bytes runs as it is, and says what it was given."""

import platform
import subprocess
from pathlib import Path

import pytest

from docker_tutor.errors import ImageError
from docker_tutor.topics import tiny

NAMES = {"x86_64": "amd64", "aarch64": "arm64"}


@pytest.mark.skipif(
    platform.system() != "Linux" or platform.machine() not in NAMES,
    reason="platform.machine() names no processor that the program is written for",
)
def test_the_program_writes_its_message_and_ends_with_zero(tmp_path: Path) -> None:
    program = tmp_path / "hello"
    program.write_bytes(tiny.hello(NAMES[platform.machine()], "how are you"))
    program.chmod(0o755)
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    assert done.stdout == "how are you\n"


def test_it_stays_below_a_quarter_of_a_kibibyte() -> None:
    assert all(len(tiny.hello(architecture)) < 256 for architecture in NAMES.values())


def test_other_processors_get_one_sentence() -> None:
    with pytest.raises(ImageError, match="riscv64"):
        tiny.hello("riscv64")
