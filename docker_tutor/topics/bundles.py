"""A container without Docker: a folder with a root file system and a `config.json`, and runc to start it.

Source: OCI runtime-spec ("Filesystem Bundle", "Configuration"); `man 8 runc`.
"""

import json
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.errors import CapabilityMissing, CommandFailed
from docker_tutor.i18n import _

__all__ = ["BundleRun", "run_bundle"]

PROGRAM = ("sh", "-c", "hostname; ls / | wc -l; cat /proc/self/status | grep -c '^CapEff'; echo PID $$")
HOSTNAME = "no-docker-here"
TIME_LIMIT_S = 60
Done: TypeAlias = subprocess.CompletedProcess[str]


@dataclass(frozen=True, slots=True)
class BundleRun:
    """One bundle, started by runc alone."""

    output: str
    exit_code: int
    seconds: float
    """From starting runc until it returned; without the way to it where the engine's machine is another one."""
    namespaces: tuple[str, ...]
    """What `config.json` asks the kernel for."""
    files: int
    """Files in the bundle's root file system."""
    seen_by_docker: bool
    """Whether `docker ps -a` knew a container of that name meanwhile or afterwards."""

    def to_frame(self) -> pd.DataFrame:
        """Return the facts, one per line."""
        facts = {
            "files in rootfs": self.files,
            "namespaces": ", ".join(self.namespaces),
            "exit code": self.exit_code,
            "seconds": round(self.seconds, 3),
            "known to docker ps": self.seen_by_docker,
        }
        return pd.DataFrame({"fact": list(facts), "value": [str(value) for value in facts.values()]})


def run_bundle(room: Room, image: str = "alpine:3.19") -> BundleRun:
    """Unpack `image` into a folder, let runc write a `config.json`, change three lines of it, and run it.

    Needs the engine's own runc. Raises CapabilityMissing, CommandFailed.
    """
    runc = room.engine.tools.programs.get("runc")
    if runc is None or not (room.capabilities.host_processes or room.engine.disposable):
        raise CapabilityMissing(_("Running runc by hand needs an engine of the course's own."))
    name = room.unique("bundle")
    with tempfile.TemporaryDirectory(dir=room.folder) as folder:
        bundle = Path(folder)
        files = _unpack(room, image, bundle / "rootfs")
        _runc(runc, "spec", "--bundle", folder)
        config = json.loads((bundle / "config.json").read_text())
        config["process"] |= {"args": list(PROGRAM), "terminal": False}
        config["hostname"] = HOSTNAME
        (bundle / "config.json").write_text(json.dumps(config, indent=1))
        here = room.capabilities.host_processes
        way = 0.0 if here else _timed(lambda: _runc(runc, "--version"))[1]
        # runc gives its notes to root, which a folder of this machine, shown to another one, may not allow.
        state = bundle / "state" if here else Path("/run", name)
        done, seconds = _timed(lambda: _runc(runc, "--root", str(state), "run", "--bundle", folder, name))
    known = room.api.containers(all=True, filters={"name": name})
    namespaces = tuple(namespace["type"] for namespace in config["linux"]["namespaces"])
    return BundleRun(done.stdout.strip(), done.returncode, max(seconds - way, 0), namespaces, files, bool(known))


def _unpack(room: Room, image: str, folder: Path) -> int:
    container: Any = room.client.containers.create(image)
    try:
        with tempfile.TemporaryFile(dir=room.folder) as file:
            for chunk in container.export():
                file.write(chunk)
            file.seek(0)
            with tarfile.open(fileobj=file) as tar:
                # The image is ours to trust as far as running it is; still no file may leave the folder.
                # Python has the filter since 3.11.4, and Debian 12 has 3.11.2.
                tar.extraction_filter = getattr(tarfile, "tar_filter", lambda member, _path: member)
                tar.extractall(folder)  # noqa: S202 - see above
                return len(tar.getmembers())
    finally:
        container.remove()


def _timed(act: Callable[[], Done]) -> tuple[Done, float]:
    began = time.perf_counter()
    return act(), time.perf_counter() - began


def _runc(runc: Path, *words: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(runc), *words], capture_output=True, text=True, check=False, timeout=TIME_LIMIT_S, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise CommandFailed(_("runc {verb} failed: {why}").format(verb=words[0], why=done.stderr.strip()))
    return done
