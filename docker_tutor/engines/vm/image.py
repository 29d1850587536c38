"""The guest's disk, made once without root: packages unpacked, finished by hand where maintainer scripts would, packed.

It is shared by all instances of the user and never written: every guest has a copy-on-write file of its own. The folder
appears under its name only when it is whole. Beside the disk lie the kernel and the few libraries that it and `mke2fs`
need.
"""

import errno
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from docker_tutor.engines.patching import library_folder
from docker_tutor.engines.vm.fitting import LOADER, fitted
from docker_tutor.engines.vm.workshop import Made, Workshop
from docker_tutor.errors import EngineStartFailed
from docker_tutor.i18n import _
from docker_tutor.progress import Report, Step, silent
from docker_tutor.units import MiB

__all__ = ["Image", "ensure", "format_disk", "found", "loading", "make_file_system", "run_with"]

PACKAGES = (
    "base-files",
    "busybox-static",
    "ca-certificates",
    "containerd",
    "docker.io",
    "e2fsprogs",
    "iproute2",
    "iptables",
    "kmod",
    "procps",
    "python3",
    "runc",
    "slirp4netns",
    "tini",
    "user-mode-linux",
)
NOT_NEEDED = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/zoneinfo",
    "usr/share/perl5",
    "usr/share/bash-completion",
    "usr/lib/uml",
    "usr/bin/linux.uml",
    "usr/bin/slirp4netns",
)
MODULES_NOT_NEEDED = (
    "drivers/scsi",
    "drivers/usb",
    "drivers/md",
    "fs/btrfs",
    "fs/xfs",
    "fs/nfs",
    "fs/nfsd",
    "fs/ocfs2",
)
FOLDERS = ("dev", "disk", "etc", "proc", "root", "run", "sys", "tmp", "var/lib")
TOOLS = ("usr/sbin/mke2fs", "usr/bin/slirp4netns")
"""What runs on this machine, not in the guest."""
FOR_THE_MACHINE = (
    "libc.so.6",
    LOADER,
    "libe2p.so.2",
    "libext2fs.so.2",
    "libcom_err.so.2",
    "libblkid.so.1",
    "libuuid.so.1",
    "libgcc_s.so.1",
    "libglib-2.0.so.0",
    "libpcre2-8.so.0",
    "libatomic.so.1",
    "libslirp.so.0",
    "libseccomp.so.2",
)
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "etc/group": "root:x:0:\ndocker:x:999:\nnogroup:x:65534:\n",
    "etc/hostname": "docker-tutor\n",
    "etc/hosts": "127.0.0.1 localhost docker-tutor\n::1 localhost\n",
    "etc/resolv.conf": "nameserver 10.0.2.3\n",
}
ROOM = 96 * MiB
"""What a guest may write besides its own disk, in its copy."""
JOURNAL = 64 * MiB
"""Sooner or later all of it is written to, and takes its room; mke2fs would give such a disk four times as much."""
INIT = """\
#!/usr/bin/busybox sh
# All else is given with the seed, so that it can change without a new image.
b=/usr/bin/busybox
$b mount -t devtmpfs devtmpfs /dev 2>/dev/null
$b mount -t tmpfs -o mode=755 tmpfs /run
$b mkdir -m 700 /run/seed
$b tar -x -f "$SEED" -C /run/seed && exec $b sh /run/seed/init.sh
echo '{"failed": "seed", "said": "its tar is damaged"}' >"$LINE"
$b poweroff -f
"""


@dataclass(frozen=True, slots=True)
class Image(Made):
    """A guest's disk and what it is started with."""

    @property
    def disk(self) -> Path:
        """The root file system, ext4."""
        return self.folder / "root.img"

    @property
    def kernel(self) -> Path:
        """User-Mode Linux, to be started in `libraries`."""
        return self.folder / "linux.uml"

    @property
    def libraries(self) -> Path:
        """The loader and the libraries for `kernel` and `mke2fs`."""
        return self.folder / "lib"

    def command(self, tool: str) -> tuple[str, ...]:
        """Return how to start `tool`, `mke2fs` or `slirp4netns`, on any release: through its own loader."""
        return (*loading(self.libraries, self.libraries, tool), str(self.folder / tool))


WORKSHOP = Workshop(Image, "guests", "4", PACKAGES, 1200 * MiB)


def found(suite: str | None = None) -> Image | None:
    """Return the newest whole image that is here for `suite` (else the setting's); None if there is none."""
    return WORKSHOP.found(suite)


def ensure(report: Report = silent, *, suite: str | None = None) -> Image:
    """Return the image, making it if it is not here or is damaged. Raises a `PackageError`, `EngineStartFailed`."""

    def finish(root: Path, making: Path) -> None:
        task = _("Making the guest's disk")
        report(Step(task, 0, 2))
        _take_kernel(root, making)
        _finish(root, making)
        report(Step(task, 1, 2))
        _pack(root, making)
        report(Step(task, 2, 2))

    return WORKSHOP.ensure(finish, report, suite)


def format_disk(image: Image, file: Path, size_bytes: int) -> None:
    """Make `file` a disk of `size_bytes` that takes no room yet, or nothing. Raises `OSError`, `EngineStartFailed`."""
    making = file.with_name(f".{file.name}.making")
    lazy = "lazy_itable_init=1,lazy_journal_init=1,nodiscard"
    journal = f"size={JOURNAL // MiB}"
    try:
        with making.open("wb") as opened:
            opened.truncate(size_bytes)
        making.chmod(0o600)
        _mke2fs(image.libraries, image.folder, ["-m", "0", "-J", journal, "-E", f"{lazy},root_owner=0:0", making])
        making.replace(file)
    finally:
        making.unlink(missing_ok=True)


def _take_kernel(root: Path, making: Path) -> None:
    kernel = making / "linux.uml"
    kernel.write_bytes(fitted((root / "usr/bin/linux.uml").read_bytes()))
    kernel.chmod(0o755)
    libraries = making / "lib"
    libraries.mkdir()
    for name in FOR_THE_MACHINE:
        shutil.copy(library_folder(root) / name, libraries / name)
    for tool in TOOLS:
        shutil.copy(root / tool, making / Path(tool).name)
    (modules,) = (root / "usr/lib/uml/modules").iterdir()
    kept = root / "usr/lib/modules" / modules.name
    kept.parent.mkdir(exist_ok=True)
    modules.rename(kept)
    for part in MODULES_NOT_NEEDED:
        shutil.rmtree(kept / "kernel" / part, ignore_errors=True)


def _finish(root: Path, making: Path) -> None:
    """Do what maintainer scripts would have done, as far as a guest needs it."""
    for part in NOT_NEEDED:
        path = root / part
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for part in FOLDERS:
        (root / part).mkdir(parents=True, exist_ok=True)
    # A pid file that outlives its daemon would keep the next one from starting.
    if (root / "var/run").is_dir() and not (root / "var/run").is_symlink():
        shutil.rmtree(root / "var/run")
    _link(root / "var/run", "/run")
    _link(root / "lib64", "usr/lib64")
    for family in ("iptables", "ip6tables"):
        for suffix in ("", "-save", "-restore"):
            # UML's kernel has the old tables' NAT only.
            _link(root / "usr/sbin" / f"{family}{suffix}", "xtables-legacy-multi")
    for name, content in FILES.items():
        _write(root / name, content)
    authorities = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    bundle = "".join(file.read_text(encoding="ascii") for file in authorities)
    _write(root / "etc/ssl/certs/ca-certificates.crt", bundle)
    _write(root / "init", INIT)
    (root / "init").chmod(0o755)
    (release,) = (root / "usr/lib/modules").iterdir()
    run_with(making / "lib", library_folder(root), [root / "usr/bin/kmod", "-b", root, release.name], "depmod")


def _pack(root: Path, making: Path) -> None:
    _pack_with(making / "lib", making, root, making / "root.img", ROOM)


def make_file_system(image: Image, disk: Path, tree: Path, room_bytes: int) -> None:
    """Make `disk` an ext4 file system of what is below `tree`, with the tools of `image`. Raises as `ensure`."""
    _pack_with(image.libraries, image.folder, tree, disk, room_bytes)


def _pack_with(libraries: Path, folder: Path, tree: Path, disk: Path, room_bytes: int) -> None:
    used = sum(path.lstat().st_size + 4096 for path in tree.rglob("*"))
    with disk.open("wb") as opened:
        opened.truncate((used * 11 // 10 + room_bytes) // MiB * MiB)
    _mke2fs(libraries, folder, ["-O", "^has_journal", "-m", "0", "-E", "root_owner=0:0", "-d", tree, disk])


def _mke2fs(libraries: Path, folder: Path, arguments: Sequence[str | Path]) -> None:
    run_with(libraries, libraries, [folder / "mke2fs", "-q", "-F", "-t", "ext4", *arguments], "mke2fs")


def run_with(loader: Path, libraries: Path, command: Sequence[str | Path], name: str) -> None:
    """Run a program of the packages on any release: through its own loader. Raises `OSError`, `EngineStartFailed`."""
    whole = [*loading(loader, libraries, name), *command]
    environment = {"PATH": os.environ.get("PATH", ""), "MKE2FS_CONFIG": "/nonexistent"}
    done = subprocess.run(whole, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        if "No space left" in done.stderr or "Could not allocate block" in done.stderr:
            raise OSError(errno.ENOSPC, done.stderr.strip())
        raise EngineStartFailed(
            _("The guest's disk cannot be made, {program} says: {said}").format(program=name, said=done.stderr.strip())
        )


def loading(loader: Path, libraries: Path, name: str) -> tuple[str, ...]:
    """Return the words that start a program called `name` through the loader in the folder `loader`."""
    return (str(loader / LOADER), "--library-path", str(libraries), "--argv0", name)


def _link(path: Path, target: str) -> None:
    if path.is_symlink() or path.exists():
        path.unlink()
    path.symlink_to(target)


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(content, encoding="utf-8")
