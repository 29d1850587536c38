"""Make unpacked programs run on any release: each is given the folder's own loader and libraries.

A program of a newer release asks for a newer C library than the machine may have. `patchelf` writes the
folder's loader and library path into every dynamic program. The path must hold for the libraries' own
libraries too, which `DT_RPATH` does and `DT_RUNPATH` does not (`man 8 ld.so`): hence `--force-rpath`.
"""

import errno
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from docker_tutor.errors import EngineStartFailed
from docker_tutor.i18n import _
from docker_tutor.progress import Report, Step, silent

__all__ = ["library_folder", "patch"]

ELF_MAGIC = b"\x7fELF"


def patch(folder: Path, final: Path, report: Report = silent) -> int:
    """Patch the programs below `folder` for the place `final` that it is going to have; return how many.

    Raises `EngineStartFailed` when patchelf is missing or fails, `OSError`.
    """
    libraries = final / library_folder(folder).relative_to(folder)
    # One name for each file: two threads that write the same one (perl has two names) would read it half-written.
    programs = list({program.stat().st_ino: program for program in _programs(folder)}.values())
    task = _("Fitting the programs to this machine")
    patchelf = _patchelf()

    def one(program: Path) -> bool:
        return _patch_one(patchelf, program, libraries)

    with ThreadPoolExecutor(2) as pool:
        count = 0
        for done, patched in enumerate(pool.map(one, programs), 1):
            count += patched
            report(Step(task, done, len(programs)))
    return count


def library_folder(root: Path) -> Path:
    """Return the one folder of libraries below `root` (`usr/lib/x86_64-linux-gnu` or another architecture's)."""
    return next((root / "usr/lib").glob("*-linux-gnu*"))


def _programs(folder: Path) -> Iterator[Path]:
    for parent, _folders, files in os.walk(folder):
        for name in files:
            file = Path(parent, name)
            if not file.is_symlink() and file.is_file() and os.access(file, os.X_OK) and ".so" not in name:
                with file.open("rb") as opened:
                    if opened.read(4) == ELF_MAGIC:
                        yield file


def _patch_one(patchelf: Path, program: Path, libraries: Path) -> bool:
    asked = _run([patchelf, "--print-interpreter", program])
    if asked.returncode:
        return False  # a static program has no interpreter, and needs none
    loader = libraries / Path(asked.stdout.strip()).name
    done = _run([patchelf, "--set-interpreter", loader, "--force-rpath", "--set-rpath", libraries, program])
    if done.returncode:
        if os.strerror(errno.ENOSPC) in done.stderr:
            raise OSError(errno.ENOSPC, done.stderr.strip(), str(program))
        raise EngineStartFailed(
            _("{program} could not be fitted to this machine: {said}").format(program=program.name, said=done.stderr)
        )
    return True


def _run(command: Sequence[Path | str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _patchelf() -> Path:
    beside = Path(sysconfig.get_path("scripts"), "patchelf")
    found = beside if beside.exists() else shutil.which("patchelf")
    if not found:
        raise EngineStartFailed(_("The program patchelf is missing: run ./course again, it installs it."))
    return Path(found)
