"""What QEMU is started with beside the guest's disk: the program, its firmware, a kernel, its modules.

The disk is the one that User-Mode Linux has (see `image`). Its kernel and modules are of no use here, so Debian's
kernel for virtual machines comes with a small disk of its own, which is mounted over theirs, and with a first file
system: the driver of its disks is a module too.
"""

import errno
import hashlib
import json
import lzma
import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from docker_tutor.engines.packages import Archive, unpack
from docker_tutor.engines.patching import library_folder
from docker_tutor.engines.vm.fitting import LOADER
from docker_tutor.engines.vm.image import Image, loading, make_file_system, run_with
from docker_tutor.engines.vm.initramfs import File, packed
from docker_tutor.errors import DiskFull, EngineStartFailed
from docker_tutor.i18n import _
from docker_tutor.paths import cache_folder
from docker_tutor.progress import Report, Step, silent
from docker_tutor.units import MiB

__all__ = ["Parts", "ensure", "found", "payload"]

PACKAGES = ("qemu-system-x86", "linux-image-cloud-amd64", "tiny-initramfs", "busybox-static", "virtiofsd", "zstd")
"""The kernel's package wants a program that makes its first file system: the smallest that there is, not used here."""
FORMAT = "3"
"""Raised when this code makes other files of the same packages."""
FIRMWARE = (
    "qemu/kvmvapic.bin",
    "qemu/pvh.bin",
    "seabios/bios-256k.bin",
)
PROGRAMS = {
    "qemu": "usr/bin/qemu-system-x86_64",
    "virtiofsd": "usr/libexec/virtiofsd",
    "kmod": "usr/bin/kmod",
    "zstd": "usr/bin/zstd",
}
"""The last two are needed here only."""
NEEDED = re.compile(r"=> (/\S+)")
MODULES = ("arch", "block", "crypto", "fs", "lib", "net", "drivers/block", "drivers/char", "drivers/net")
"""The parts of the kernel's modules that Docker may ask for, below `kernel`."""
FIRST_MODULES = (
    "drivers/block/virtio_blk",
    "net/core/failover",
    "drivers/net/net_failover",
    "drivers/net/virtio_net",
)
"""Loaded before the disk is read, in this order."""
ZSTD = b"\x28\xb5\x2f\xfd"
STAMP = "stamp.json"
UNPACKED_BYTES = 400 * MiB
ROOM = 4 * MiB
FIRST = """\
#!/busybox sh
b=/busybox
$b mount -t devtmpfs devtmpfs /dev
if [ "$TRIAL" ]; then
    echo "$TRIAL" >/dev/ttyS0
    $b poweroff -f
fi
for module in /*.ko; do $b insmod "$module"; done
$b mount -t ext4 "$ROOT" /new && $b mount -t ext4 -o ro "$MODULES" /new/usr/lib/modules &&
    exec $b switch_root /new /init
echo '{"failed": "image", "said": "its disks cannot be read"}' >"$LINE"
$b poweroff -f
"""


@dataclass(frozen=True, slots=True)
class Parts:
    """QEMU and a kernel for it."""

    folder: Path

    @property
    def kernel(self) -> Path:
        """The kernel, unpacked: under emulation it would take longer to unpack itself than to boot."""
        return self.folder / "vmlinux"

    @property
    def first_files(self) -> Path:
        """The first file system."""
        return self.folder / "initramfs"

    @property
    def modules(self) -> Path:
        """The disk of the kernel's modules, ext4."""
        return self.folder / "modules.img"

    @property
    def firmware(self) -> Path:
        """The folder of what QEMU puts into the machine's own memory."""
        return self.folder / "firmware"

    def command(self, tool: str) -> tuple[str, ...]:
        """Return how to start `qemu` or `virtiofsd`, on any release: through its own loader."""
        return (*loading(self.folder / "lib", self.folder / "lib", tool), str(self.folder / tool))

    @property
    def versions(self) -> dict[str, str]:
        """The packages, and their versions."""
        return {name: str(version) for name, version in self._stamp()["packages"].items()}

    @property
    def whole(self) -> bool:
        """Whether the files have the sizes they were made with."""
        try:
            return all((self.folder / name).stat().st_size == size for name, size in self._stamp()["sizes"].items())
        except (OSError, ValueError, KeyError):
            return False

    def _stamp(self) -> dict[str, dict[str, object]]:
        stamp: dict[str, dict[str, object]] = json.loads((self.folder / STAMP).read_text(encoding="utf-8"))
        return stamp


def found(suite: str | None = None) -> Parts | None:
    """Return the newest whole parts that are here for `suite` (else the setting's); None if there are none."""
    stamps = _home().glob(f"{Archive(suite).suite}-{FORMAT}-*/{STAMP}")
    parts = [Parts(stamp.parent) for stamp in sorted(stamps, key=lambda s: s.stat().st_mtime_ns, reverse=True)]
    return next((each for each in parts if each.whole), None)


def ensure(image: Image, report: Report = silent, *, suite: str | None = None) -> Parts:
    """Return the parts, making them with the tools of `image` if they are not here or damaged.

    Raises a `PackageError`, `EngineStartFailed`.
    """
    archive = Archive(suite)
    home = _home()
    home.mkdir(exist_ok=True)
    with FileLock(home / "in-use.lock"):
        if parts := found(suite):
            return parts
        debs = archive.fetch(PACKAGES, report)
        name = hashlib.sha256("\n".join(deb.name for deb in debs).encode()).hexdigest()[:12]
        folder = home / f"{archive.suite}-{FORMAT}-{name}"
        try:
            _make(folder, image, debs, report)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise DiskFull(_("The disk is full: make room in {folder}.").format(folder=home)) from error
        return Parts(folder)


def _home() -> Path:
    return cache_folder() / "hypervisors"


def _make(folder: Path, image: Image, debs: Sequence[Path], report: Report) -> None:
    if shutil.disk_usage(folder.parent).free < UNPACKED_BYTES:
        raise DiskFull(
            _("Unpacking QEMU needs {size} MiB in {folder}: make room there and try again.").format(
                size=UNPACKED_BYTES // MiB, folder=folder.parent
            )
        )
    for abandoned in folder.parent.glob(".making-*"):
        shutil.rmtree(abandoned)  # of a process that was killed: we hold the lock, so nobody is at it
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    try:
        making.chmod(0o755)
        root = making / "root"
        unpack(debs, root, report)
        task = _("Making a kernel ready for QEMU")
        report(Step(task, 0, 2))
        _take_programs(root, making)
        _take_kernel(root, making)
        report(Step(task, 1, 2))
        _take_modules(root, making, image)
        shutil.rmtree(root)
        report(Step(task, 2, 2))
        sizes = {str(p.relative_to(making)): p.stat().st_size for p in making.rglob("*") if p.is_file()}
        packages = dict(deb.name.removesuffix(".deb").split("_")[:2] for deb in debs)
        (making / STAMP).write_text(json.dumps({"packages": packages, "sizes": sizes}, indent=1), encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        making.rename(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _take_programs(root: Path, making: Path) -> None:
    libraries = making / "lib"
    libraries.mkdir()
    shutil.copy(library_folder(root) / LOADER, libraries)
    for program, source in PROGRAMS.items():
        shutil.copy(root / source, making / program)
        for library in _needed(root, making / program):
            shutil.copy(library, libraries / library.name)
    (making / "firmware").mkdir()
    for name in FIRMWARE:
        shutil.copy(root / "usr/share" / name, making / "firmware")


def _needed(root: Path, program: Path) -> list[Path]:
    """Ask the loader which libraries it would load (`man 8 ld.so`, --list)."""
    here = library_folder(root)
    command: list[str | Path] = [here / LOADER, "--library-path", here, "--list", program]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return [Path(found) for found in NEEDED.findall(said)]


def payload(packed_kernel: bytes) -> bytes:
    """Return the compressed kernel inside one that unpacks itself. Raises `EngineStartFailed` for another compression.

    Source: Linux kernel, Documentation/arch/x86/boot.rst (setup_sects, payload_offset, payload_length).
    """
    sectors = packed_kernel[0x1F1] or 4
    offset, length = struct.unpack_from("<II", packed_kernel, 0x248)
    begins = (sectors + 1) * 512 + offset
    found = packed_kernel[begins : begins + length - 4]  # without the size that follows it
    if not found.startswith(ZSTD):
        raise EngineStartFailed(_("This build of the kernel is not known here: it is compressed in another way."))
    return found


def _take_kernel(root: Path, making: Path) -> None:
    (kernel,) = (root / "boot").glob("vmlinuz-*")
    compressed = making / "vmlinux.zst"
    compressed.write_bytes(payload(kernel.read_bytes()))
    run_with(making / "lib", making / "lib", [making / "zstd", "-d", "-q", "--rm", compressed], "zstd")
    files = {"init": File(FIRST.encode(), program=True)}
    files["busybox"] = File((root / "usr/bin/busybox").read_bytes(), program=True)
    for order, name in enumerate(FIRST_MODULES):
        (module,) = (root / "usr/lib/modules").glob(f"*/kernel/{name}.ko.xz")
        files[f"{order}.ko"] = File(lzma.decompress(module.read_bytes()))
    (making / "initramfs").write_bytes(packed(files, ("dev", "new")))


def _take_modules(root: Path, making: Path, image: Image) -> None:
    (modules,) = (root / "usr/lib/modules").iterdir()
    kept = making / "tree/usr/lib/modules" / modules.name
    for part in MODULES:
        for module in (modules / "kernel" / part).rglob("*.ko.xz"):
            # Under emulation it is this machine that unpacks faster.
            plain = kept / module.relative_to(modules).with_suffix("")
            plain.parent.mkdir(parents=True, exist_ok=True)
            plain.write_bytes(lzma.decompress(module.read_bytes()))
    for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        shutil.copy(modules / name, kept / name)
    # depmod looks below `lib`, as it was before `lib` and `usr/lib` became one.
    (making / "tree/lib").symlink_to("usr/lib")
    kmod: list[str | Path] = [making / "kmod", "-b", making / "tree", modules.name]
    run_with(making / "lib", making / "lib", kmod, "depmod")
    make_file_system(image, making / "modules.img", kept.parent, ROOM)
    shutil.rmtree(making / "tree")
