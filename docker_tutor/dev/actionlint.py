"""actionlint is a Go program: it is built once, into the user's cache, where there is a Go to build it."""

import os
import shutil
import subprocess
from pathlib import Path

from docker_tutor import paths

__all__ = ["MODULE", "VERSION", "program"]

MODULE = "github.com/rhysd/actionlint/cmd/actionlint"
VERSION = "v1.7.12"


def program() -> Path | str:
    """Return the program, building it at need; or, as text, why it cannot be had here."""
    found = shutil.which("actionlint")
    if found:
        return Path(found)
    folder = paths.cache_folder() / "actionlint" / VERSION
    if (folder / "actionlint").exists():
        return folder / "actionlint"
    if not shutil.which("go"):
        return "neither actionlint nor Go is installed here; the public workflow runs it"
    build = folder.with_name(f"{VERSION}-build-{os.getpid()}")
    # Read-only module folders, Go's default, could not be removed below.
    environment = os.environ | {"GOBIN": str(folder), "GOPATH": str(build), "GOFLAGS": "-modcacherw"}
    try:
        built = subprocess.run(
            ["go", "install", f"{MODULE}@{VERSION}"], env=environment, capture_output=True, text=True, check=False
        )
    finally:
        shutil.rmtree(build, ignore_errors=True)
    if built.returncode:
        return f"it could not be built here ({built.stderr.strip().splitlines()[-1]}); the public workflow runs it"
    return folder / "actionlint"
