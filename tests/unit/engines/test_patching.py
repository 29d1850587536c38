"""Programs that are fitted to another place."""

import shutil
from pathlib import Path

from docker_tutor.engines.patching import patch


def test_a_program_with_two_names_is_patched_once(tmp_path: Path) -> None:
    (tmp_path / "usr/lib/some-linux-gnu").mkdir(parents=True)
    program = tmp_path / "usr/bin/perl"
    program.parent.mkdir()
    shutil.copy(shutil.which("true") or "/bin/true", program)
    for number in range(8):  # more names than threads: two would write the same file at once
        (program.parent / f"perl5.{number}").hardlink_to(program)

    assert patch(tmp_path, Path("/elsewhere")) == 1
    assert b"/elsewhere/usr/lib/some-linux-gnu/ld-linux" in program.read_bytes()
