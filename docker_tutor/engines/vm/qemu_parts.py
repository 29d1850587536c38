"""What QEMU is started with beside the guest's disk: the program, its firmware, a kernel, its modules.

The disk is the one that User-Mode Linux has (see `image`). Its kernel and modules are of no use here, so Debian's
kernel for virtual machines comes with a small disk of its own, which is mounted over theirs, and with a first file
system: the driver of its disks is a module too.
"""

import lzma
import re
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from docker_tutor.engines.patching import library_folder
from docker_tutor.engines.vm.fitting import LOADER
from docker_tutor.engines.vm.image import Image, loading, make_file_system, run_with
from docker_tutor.engines.vm.initramfs import File, packed
from docker_tutor.engines.vm.workshop import Made, Workshop
from docker_tutor.errors import EngineStartFailed
from docker_tutor.i18n import _
from docker_tutor.progress import Report, Step, silent
from docker_tutor.units import MiB

__all__ = ["Parts", "ensure", "found", "payload"]

PACKAGES = ("qemu-system-x86", "linux-image-cloud-amd64", "tiny-initramfs", "busybox-static", "virtiofsd", "zstd")
"""The kernel's package wants a program that makes its first file system: the smallest that there is, not used here."""
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
class Parts(Made):
    """QEMU and a kernel for it."""

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


WORKSHOP = Workshop(Parts, "hypervisors", "3", PACKAGES, 400 * MiB)


def found(suite: str | None = None) -> Parts | None:
    """Return the newest whole parts that are here for `suite` (else the setting's); None if there are none."""
    return WORKSHOP.found(suite)


def ensure(image: Image, report: Report = silent, *, suite: str | None = None) -> Parts:
    """Return the parts, making them with the tools of `image` if they are not here or damaged.

    Raises a `PackageError`, `EngineStartFailed`.
    """

    def finish(root: Path, making: Path) -> None:
        task = _("Making a kernel ready for QEMU")
        report(Step(task, 0, 2))
        _take_programs(root, making)
        _take_kernel(root, making)
        report(Step(task, 1, 2))
        _take_modules(root, making, image)
        report(Step(task, 2, 2))

    return WORKSHOP.ensure(finish, report, suite)


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
