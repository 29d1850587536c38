"""Engines for the tests that need a real one. None of them is the learner's: each is an instance of its own."""

import json
import os
import re
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from docker_tutor.engines.base import Engine
from docker_tutor.engines.dialing import tls_folder
from docker_tutor.engines.packages import Archive, unpack
from docker_tutor.engines.private.engine import PrivateEngine
from docker_tutor.engines.private.layout import Layout
from docker_tutor.engines.private.stopping import leftovers
from docker_tutor.engines.vm import stopping as vm_stopping
from docker_tutor.engines.vm.engine import VmEngine
from docker_tutor.engines.vm.layout import Layout as VmLayout
from docker_tutor.paths import runtime_folder, shared_data_folder

PREFIX = "tst"


class Docker:
    """The docker command of an engine, as a person would type it, with an image called `tiny` (busybox)."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        """Keep the command's own configuration in `folder`."""
        self.engine = engine
        (folder / "config.json").write_text(json.dumps(dict(engine.tools.config)), encoding="utf-8")
        path = os.pathsep.join([*map(str, engine.tools.path), os.environ["PATH"]])
        host, _query, _rest = engine.address.partition("?")
        self.environment = os.environ | {"DOCKER_HOST": host, "DOCKER_CONFIG": str(folder), "PATH": path}
        if certificates := tls_folder(engine.address):
            self.environment |= {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(certificates)}

    def __call__(self, *words: str) -> str:
        """Run it and return what it prints; `pytest.fail` with what it complains about."""
        done = subprocess.run(["docker", *words], env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.fail(f"docker {' '.join(words)}: {done.stderr}")
        return done.stdout.strip()


@pytest.fixture(scope="session")
def tiny_tar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pack busybox with names for its applets: the smallest file system that serves pages."""
    folder = tmp_path_factory.mktemp("tiny")
    root = folder / "root"
    unpack(Archive().fetch(["busybox-static"]), root)
    for applet in ("sh", "sleep", "httpd", "wget", "cat", "hostname", "echo", "nslookup"):
        (root / "usr/bin" / applet).symlink_to("busybox")
    (root / "www").mkdir()
    (root / "www/index.html").write_text("hello\n", encoding="utf-8")
    with tarfile.open(folder / "tiny.tar", mode="w") as tar:
        tar.add(root, ".")
    return folder / "tiny.tar"


@pytest.fixture(scope="session")
def docker_of(tmp_path_factory: pytest.TempPathFactory, tiny_tar: Path) -> Callable[[Engine], Docker]:
    """Return the docker command of an engine that is up, with `tiny` loaded."""

    def command(engine: Engine) -> Docker:
        docker = Docker(engine, tmp_path_factory.mktemp("cli"))
        if not docker("images", "--quiet", "tiny"):
            docker("import", str(tiny_tar), "tiny")
        return docker

    return command


@contextmanager
def _instance(name: str) -> Iterator[PrivateEngine]:
    runtime = (runtime_folder().parent / name).resolve()
    data = (shared_data_folder() / name).resolve()
    for folder in (runtime, data):
        folder.mkdir(mode=0o700, exist_ok=True)
    engine = PrivateEngine(Layout(name, runtime / "engine", data / "engine"))
    try:
        yield engine
    finally:
        engine.down(purge=True)
        assert leftovers(engine.layout) == []
        _remove(runtime)
        _remove(data)


def _named(name: str) -> str:
    """Return an instance's name that no other test run on this machine has."""
    return f"{PREFIX}{os.getpid()}{name}"


def _remove_abandoned() -> None:
    """Take down what a test run that was killed has left."""
    for runtime in runtime_folder().parent.glob(f"{PREFIX}[0-9]*"):
        pid = re.match(r"\d+", runtime.name.removeprefix(PREFIX))
        if pid and not Path("/proc", pid[0]).exists():
            with _instance(runtime.name):
                continue


def _remove(folder: Path) -> None:
    for lock in folder.glob("*.lock"):
        lock.unlink()
    folder.rmdir()


@pytest.fixture(scope="session")
def private_engine() -> Iterator[PrivateEngine]:
    """Bring a private engine up for the whole session; gone at the end, and nothing is left of it."""
    _remove_abandoned()
    with _instance(_named("")) as engine:
        engine.up()
        yield engine


@pytest.fixture
def engine_of_its_own(request: pytest.FixtureRequest) -> Iterator[Callable[[str], PrivateEngine]]:
    """Make further private engines by name, for tests that break them; each is gone at the end of the test."""
    with ExitStack() as made:
        yield lambda name: made.enter_context(_instance(_named(name)))


@contextmanager
def _machine(name: str, kind: str = "uml", **options: Any) -> Iterator[VmEngine]:
    runtime, data = (folder.resolve() / name for folder in (runtime_folder().parent, shared_data_folder()))
    for folder in (runtime, data):
        folder.mkdir(mode=0o700, exist_ok=True)
    engine = VmEngine(kind, VmLayout(name, runtime / "vm", data / "vm"), **options)
    try:
        yield engine
    finally:
        engine.down(purge=True)
        assert vm_stopping.leftovers(engine.layout) == []
        _remove(runtime)
        _remove(data)


@pytest.fixture(scope="session")
def booted() -> Iterator[VmEngine]:
    """Bring a virtual machine with Docker up for the whole session; gone at the end, and nothing is left of it."""
    with _machine(_named("vm")) as engine:
        yield engine


@pytest.fixture
def machine(booted: VmEngine) -> Iterator[VmEngine]:
    """Hand out a machine that is up; one that ends in a test fails it, with its last words, and no other."""
    booted.up()
    yield booted
    found = booted.status()
    if found.state != "running":
        said = booted.layout.log("console").read_text(encoding="utf-8", errors="replace")
        pytest.fail(f"{found.detail}\n{said[-2000:]}")


@pytest.fixture(scope="module")
def emulated() -> Iterator[VmEngine]:
    """Bring a virtual machine on QEMU up for a module: under emulation, one that does nothing takes processor too."""
    with _machine(_named("qemu"), "qemu") as engine:
        engine.up()
        yield engine


@pytest.fixture
def machine_of_its_own() -> Iterator[Callable[..., VmEngine]]:
    """Make further machines, for tests that break them; each is gone at the end of the test."""
    with ExitStack() as made:
        yield lambda name, **options: made.enter_context(_machine(_named(name), **options))
