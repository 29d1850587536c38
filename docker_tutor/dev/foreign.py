"""Somebody's daemon, for tests: Debian testing's Docker 28 with things of its own, on which the course is a guest.

::

    with somebodys("containerd") as theirs:
        os.environ.update(theirs.environment)    # DOCKER_HOST and PATH, as its owner has them
        before = theirs.listing()
        …                                        # whatever the course does there
        assert different(before, theirs.listing()) == []

It is made as the private engine is, in folders that the course does not take for its own.
"""

import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from docker_tutor.engines.packages import Archive, unpack
from docker_tutor.engines.private import stopping
from docker_tutor.engines.private.engine import PrivateEngine
from docker_tutor.engines.private.layout import Layout
from docker_tutor.errors import CommandFailed
from docker_tutor.paths import shared_data_folder
from docker_tutor.progress import Report, silent

__all__ = ["PREFIX", "STORES", "Foreign", "ImageStore", "different", "somebodys"]

ImageStore = Literal["graph", "containerd"]
STORES: tuple[ImageStore, ...] = ("graph", "containerd")
SUITE = "testing"
PREFIX = "theirs-"
OURS = "docker-tutor/"
"""Stand-ins stay where they were made, under names of the course's own, for the next room."""
APPLETS = ("sh", "sleep", "httpd", "wget", "cat", "hostname", "echo")
COMPOSE = """\
services:
  web: {image: "tiny:1", command: sleep 6000, volumes: ["data:/data"]}
volumes: {data: {}}
"""
RULES = ("-A", "-P", "-N", ":", "*")


@dataclass(frozen=True, slots=True)
class Foreign:
    """An engine that belongs to somebody else."""

    engine: PrivateEngine
    store: ImageStore
    folder: Path
    """Its owner's own folder: the CLI's configuration, a Dockerfile, a Compose file."""

    @property
    def environment(self) -> dict[str, str]:
        """The variables of its owner's shell."""
        path = [*map(str, self.engine.tools.path), os.environ.get("PATH", os.defpath)]
        return {
            "DOCKER_HOST": self.engine.address,
            "DOCKER_CONFIG": str(self.folder),
            "PATH": os.pathsep.join(path),
        }

    def docker(self, *words: str, given: bytes | None = None) -> str:
        """Run `docker WORDS…` as its owner and return what it prints. Raises CommandFailed."""
        environment = os.environ | self.environment
        done = subprocess.run(["docker", *words], env=environment, input=given, capture_output=True, check=False)
        if done.returncode:
            said = done.stderr.decode(errors="replace")
            raise CommandFailed(f"docker {' '.join(words)}: {said}")
        return done.stdout.decode().strip()

    def fill(self) -> None:
        """Make what somebody has: running, ended, composed, published, named, anonymous, dangling, cached."""
        self.docker("import", "-", "tiny:1", given=_tiny())
        self.docker("network", "create", "theirs")
        for volume in ("theirs", "theirs-unused"):
            self.docker("volume", "create", volume)
        mounts = ("-v", "theirs:/named", "-v", "/anonymous")
        options = ("--name", "theirs", "--network", "theirs", "-p", "127.0.0.1:0:80", *mounts)
        self.docker("run", "-d", *options, "tiny:1", "sleep", "6000")
        self.docker("run", "--name", "theirs-ended", "tiny:1", "echo", "done")
        for tag in ("theirs:1", "theirs:2"):
            file = f"FROM tiny:1\nRUN echo {tag} > /theirs\n"
            (self.folder / "Dockerfile").write_text(file, encoding="utf-8")
            self.docker("buildx", "build", "-t", tag, "-t", "theirs:latest", str(self.folder))
        (self.folder / "compose.yaml").write_text(COMPOSE, encoding="utf-8")
        self.docker("compose", "-p", "theirproject", "-f", str(self.folder / "compose.yaml"), "up", "-d")

    def listing(self) -> dict[str, list[Any]]:
        """Return everything there is, as far as the engine and its packet filter tell."""
        containers = self.docker("ps", "-aq", "--no-trunc").split()
        networks = self.docker("network", "ls", "-q", "--no-trunc").split()
        images = self.docker("images", "-a", "--no-trunc", "--digests", "--format", "{{json .}}").splitlines()
        return {
            "containers": [_container(each) for each in json.loads(self.docker("inspect", *containers))],
            "networks": sorted(
                (each["Id"], each["Name"], sorted(each["Containers"]))
                for each in json.loads(self.docker("network", "inspect", *networks))
            ),
            "volumes": sorted(self.docker("volume", "ls", "-q").split()),
            "images": sorted(
                (each["ID"], each["Repository"], each["Tag"], each["Digest"])
                for each in map(json.loads, images)
                if not each["Repository"].startswith(OURS)
            ),
            "cache": sorted(line.split()[0].rstrip("*") for line in self._cache()),
            "swarm": [self.docker("info", "-f", "{{.Swarm.LocalNodeState}}")],
            "rules": self._rules(),
        }

    def _cache(self) -> list[str]:
        said = self.docker("buildx", "du").splitlines()
        return [line for line in said if len(line.split()) >= 3 and line.split()[1] in {"true", "false"}]

    def _rules(self) -> list[str]:
        """Return the packet filter's rules without comments and counters."""
        tools = self.engine.tools
        command = [*(tools.enter or ()), str(tools.programs["iptables-save"])]
        environment = os.environ | dict(tools.environment)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return [line.partition(" [")[0] for line in done.stdout.splitlines() if line.startswith(RULES)]


def different(before: Mapping[str, list[Any]], after: Mapping[str, list[Any]]) -> list[str]:
    """Return what of somebody's has changed; empty when all is as it was.

    The cache may have grown, by what the course built: everything else is equal, and no entry of theirs has gone.
    """
    found = []
    for kind, value in before.items():
        gone, new = ([each for each in one if each not in other] for one, other in _both_ways(value, after[kind]))
        found += [f"{kind}: {each} is gone" for each in gone]
        found += [f"{kind}: {each} is new" for each in new if kind != "cache"]
        if not (gone or new) and value != after[kind]:
            found.append(f"{kind}: in another order")
    return found


@contextmanager
def somebodys(store: ImageStore, report: Report = silent) -> Iterator[Foreign]:
    """Have somebody's engine with things on it for a `with` block; nothing is left of it. Raises EngineError."""
    remove_abandoned()
    layout = _layout(f"{PREFIX}{os.getpid()}-{store}")
    for folder in (layout.runtime.parent, layout.data.parent):
        folder.mkdir(mode=0o700)
    engine = PrivateEngine(
        layout, settings={"features": {"containerd-snapshotter": store == "containerd"}}, suite=SUITE
    )
    try:
        engine.up(report)
        home = layout.runtime.parent / "home"
        home.mkdir()
        (home / "config.json").write_text(json.dumps(dict(engine.tools.config)), encoding="utf-8")
        theirs = Foreign(engine, store, home)
        theirs.fill()
        yield theirs
    finally:
        _remove(layout)


def remove_abandoned() -> None:
    """Take down what a test run that was killed has left."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}[0-9]*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if not Path("/proc", pid).exists():
            _remove(_layout(folder.name))


def _layout(name: str) -> Layout:
    # Not in the course's runtime folder: a DOCKER_HOST there is taken for a gateway of the course.
    runtime = Path(tempfile.gettempdir()).resolve() / name
    return Layout(name, runtime / "engine", shared_data_folder().resolve() / name / "engine")


def _remove(layout: Layout) -> None:
    stopping.stop(layout)
    for folder in (layout.data.parent, layout.runtime.parent):
        if folder.exists():
            shutil.rmtree(folder)


def _both_ways(one: list[Any], other: list[Any]) -> tuple[tuple[list[Any], list[Any]], ...]:
    return (one, other), (other, one)


def _container(inspected: Mapping[str, Any]) -> tuple[Any, ...]:
    state = inspected["State"]
    networks = sorted(inspected["NetworkSettings"]["Networks"])
    return (inspected["Id"], inspected["Name"], state["Status"], state["StartedAt"], networks, inspected["ExecIDs"])


def _tiny() -> bytes:
    """Return a file system of busybox and names for some of its applets."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "root")
        unpack(Archive().fetch(["busybox-static"]), root)
        for applet in APPLETS:
            (root / "usr/bin" / applet).symlink_to("busybox")
        with tarfile.open(Path(folder, "tiny.tar"), mode="w") as tar:
            tar.add(root, ".")
        return Path(folder, "tiny.tar").read_bytes()
