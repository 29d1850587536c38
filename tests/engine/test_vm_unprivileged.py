"""The machine asks for nothing: no root, no capability, no new privilege."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from docker_tutor.engines import programs
from docker_tutor.engines.vm import image
from docker_tutor.paths import cache_folder, checkout

pytestmark = pytest.mark.engine

UID = 64123
STRICT = (
    "setpriv",
    "--reuid",
    str(UID),
    "--regid",
    str(UID),
    "--clear-groups",
    "--no-new-privs",
    "--bounding-set",
    "-all",
)
PYTHON = shutil.which(f"python3.{sys.version_info.minor}", path="/usr/bin") or sys.executable
"""One that another user may run, with the same modules."""
WORK = """\
import pathlib, sys
from docker_tutor.engines.clients import sdk
from docker_tutor.engines.vm.engine import VmEngine
engine = VmEngine()
engine.up()
try:
    client = sdk(engine.address)
    image = client.api.import_image_from_file(sys.argv[1], repository="tiny")
    folder = pathlib.Path.home() / "work"
    folder.mkdir()
    command = ["sh", "-c", "echo from the guest >/w/file"]
    client.containers.run("tiny", command, volumes={str(folder): {"bind": "/w"}}, remove=True)
    print((folder / "file").read_text().strip())
finally:
    engine.down(purge=True)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """Make a home of another user, with the packages and the image that are here already: linked, not copied."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp", prefix="docker-tutor-test-"))
    try:
        unpacked, guest = programs.ensure(), image.ensure()
        for made in (unpacked.folder, guest.folder):
            there = folder / ".cache/docker-tutor" / made.relative_to(cache_folder())
            shutil.copytree(made, there, symlinks=True, copy_function=_linked)
        for parent, folders, _files in os.walk(folder):
            for each in (parent, *(os.path.join(parent, name) for name in folders)):  # noqa: PTH118 - as os.walk has it
                os.chown(each, UID, UID, follow_symlinks=False)
        yield folder
    finally:
        shutil.rmtree(folder)


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # another file system
        shutil.copy2(source, target, follow_symlinks=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_user_without_any_privilege_runs_a_container(home: Path, tiny_tar: Path) -> None:
    searched = [str(checkout()), sysconfig.get_path("purelib")]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "PYTHONPATH": os.pathsep.join(searched)}
    command = [*STRICT, PYTHON, "-B", "-c"]
    trial = subprocess.run(
        [*command, "import cryptography, docker_tutor"],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if trial.returncode:
        pytest.skip(f"another user cannot run this course's Python here: {trial.stderr.strip().splitlines()[-1]}")
    tar = shutil.copy(tiny_tar, home / "tiny.tar")
    done = subprocess.run(
        [*command, WORK, str(tar)], env=environment, cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "from the guest"
    theirs = [process for process in psutil.process_iter(["uids", "status"]) if process.info["uids"].real == UID]
    assert [process for process in theirs if process.info["status"] != psutil.STATUS_ZOMBIE] == []
