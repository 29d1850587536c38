"""Other OCI runtimes than the engine's own: crun and gVisor's runsc, unpacked from Debian's packages into the cache.

A runtime that a kernel does not suit is started through a wrapper: a small script that changes, in a mount namespace
of its own, what the runtime stumbles over. Which of them is needed is found by trying (`topics.runtimes`), since the
next kernel or the next package may need none.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from docker_tutor.engines.packages import Archive, unpack
from docker_tutor.engines.patching import patch
from docker_tutor.paths import cache_folder
from docker_tutor.progress import Report, silent

__all__ = ["CURES", "Cure", "command_for_youki", "ensure", "wrap", "youki"]

PACKAGES = ("crun", "runsc")


@dataclass(frozen=True, slots=True)
class Cure:
    """What a wrapper changes before it starts a runtime, and why."""

    name: str
    prepare: str
    """Shell, run as root in a mount namespace of its own."""
    why: str


CURES: Mapping[str, tuple[Cure, ...]] = {
    "crun": (
        Cure(
            "without-v2",
            "umount /sys/fs/cgroup/unified",
            "crun refuses a version 2 tree with controllers beside version 1: it is taken out of crun's sight",
        ),
    ),
    "runsc": (
        Cure(
            "without-sysctls",
            "mount -t tmpfs none /proc/sys/net",
            "runsc takes net/core/rmem_default for a sign of the machine's own network; newer kernels show it in all",
        ),
    ),
}


def ensure(report: Report = silent) -> dict[str, Path]:
    """Return crun and runsc by name, fetching and unpacking them the first time. Raises PackageError."""
    home = cache_folder() / "runtimes"
    home.mkdir(exist_ok=True)
    with FileLock(home / "in-use.lock"):
        debs = Archive().fetch(PACKAGES, report)
        name = hashlib.sha256("\n".join(deb.name for deb in debs).encode()).hexdigest()[:12]
        folder = home / name
        if not folder.exists():
            making = Path(tempfile.mkdtemp(prefix=".making-", dir=home))
            try:
                making.chmod(0o755)
                unpack(debs, making, report)
                patch(making, folder, report)
                making.rename(folder)
            finally:
                shutil.rmtree(making, ignore_errors=True)  # there only if it was not made whole
    return {each: folder / "usr/bin" / each for each in PACKAGES}


def youki() -> Path | None:
    """Return youki if it is here: in `PATH`, or where `command_for_youki` puts it."""
    built = cache_folder() / "youki/bin/youki"
    found = shutil.which("youki") or (built if built.exists() else None)
    return Path(found) if found else None


def command_for_youki() -> str:
    """Return the command that builds youki with a Rust toolchain, in some minutes.

    Without seccomp, which needs the headers of a library that a toolchain does not bring.
    """
    root = cache_folder() / "youki"
    shown = f"~/{root.relative_to(Path.home())}" if root.is_relative_to(Path.home()) else root
    return f"cargo install youki --no-default-features --features v1,v2 --root {shown}"


def wrap(program: Path, cure: Cure, folder: Path) -> Path:
    """Write the wrapper that applies `cure` and becomes `program`, into `folder`; return it."""
    script = folder / f"{program.name}.{cure.name}"
    inner = f'{cure.prepare} && exec {program} "$@"'
    # Slave: what the runtime mounts for the container stays in here, what the machine mounts is still seen.
    script.write_text(f"#!/bin/sh\nexec unshare --mount --propagation slave sh -c '{inner}' {program.name} \"$@\"\n")
    script.chmod(0o755)
    return script
