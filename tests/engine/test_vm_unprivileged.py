"""The machine asks for nothing: no root, no capability, no new privilege, no network, not even much memory."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from docker_tutor.dev import sandbox
from docker_tutor.engines.clients import sdk
from docker_tutor.engines.private.engine import PrivateEngine

pytestmark = [
    pytest.mark.engine,
    pytest.mark.one_in(3),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user"),
]

NOBODY_ELSE = 64123
STRICT = (
    *("setpriv", "--reuid", str(NOBODY_ELSE), "--regid", str(NOBODY_ELSE), "--clear-groups"),
    *("--no-new-privs", "--bounding-set", "-all"),
)
PYTHON = f"python3.{sys.version_info.minor}"
WITHIN_S = 120
WORK = """\
import pathlib, sys
from docker_tutor.engines.clients import sdk
from docker_tutor.engines.vm.engine import VmEngine
from docker_tutor.engines import programs
programs.ensure = lambda report: None  # the command line client is for people
engine = VmEngine()
engine.up()
try:
    client = sdk(engine.address)
    client.api.import_image_from_file(sys.argv[1], repository="tiny")
    folder = pathlib.Path.home() / "work"
    folder.mkdir()
    command = ["sh", "-c", "echo from the guest >/w/file"]
    client.containers.run("tiny", command, volumes={str(folder): {"bind": "/w"}}, remove=True)
    print((folder / "file").read_text().strip())
finally:
    engine.down(purge=True)
"""


@pytest.fixture
def home(tiny_tar: Path) -> Iterator[Path]:
    """Make a home of another user, with the guest's image that is here already, and `tiny.tar`."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp", prefix="docker-tutor-test-"))
    try:
        sandbox.link_cache(folder)
        sandbox.install(folder)
        shutil.copy(tiny_tar, folder / "tiny.tar")
        sandbox.own(folder)
        yield folder
    finally:
        shutil.rmtree(folder)


def test_a_user_without_any_privilege_runs_a_container(home: Path) -> None:
    sandbox.own(home, NOBODY_ELSE)
    here = {"env": sandbox.environment(home), "cwd": "/", "capture_output": True, "text": True}
    trial = subprocess.run([*STRICT, PYTHON, "-B", "-c", "import cryptography, docker_tutor"], check=False, **here)
    if trial.returncode:
        said = (trial.stderr.strip().splitlines() or ["?"])[-1]
        pytest.skip(f"another user cannot run this course's Python here: {said}")
    done = subprocess.run([*STRICT, PYTHON, "-B", "-c", WORK, str(home / "tiny.tar")], check=False, **here)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "from the guest"
    theirs = [
        process for process in psutil.process_iter(["uids", "status"]) if process.info["uids"].real == NOBODY_ELSE
    ]
    assert [process for process in theirs if process.info["status"] != psutil.STATUS_ZOMBIE] == []


def test_a_sandbox_as_strict_as_binders_runs_a_container(home: Path, private_engine: PrivateEngine) -> None:
    client = sdk(private_engine.address, timeout=WITHIN_S)
    started = sandbox.start(client, home, ["python3", "-B", "-c", WORK, str(home / "tiny.tar")])
    try:
        status = started.wait(timeout=WITHIN_S)["StatusCode"]
        said = started.logs(stderr=False).decode().strip(), started.logs(stdout=False).decode()
        if "ModuleNotFoundError" in said[1]:
            pytest.skip(f"user {sandbox.UID} of a container cannot read this course: {said[1].splitlines()[-1]}")
        assert (status, said[0]) == (0, "from the guest"), said[1]
    finally:
        started.remove(force=True, v=True)
        client.close()
