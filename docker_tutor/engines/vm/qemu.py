"""QEMU: how a guest is started on it, with the processor's help or by emulation, and what its last words mean.

The guest's network card is a socket to the same slirp4netns that User-Mode Linux has, so that ports are forwarded in
one way. Source: QEMU's manual, "Invocation" (10.0); Linux kernel, Documentation/filesystems/virtiofs.rst.
"""

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from platform import machine as processor

from docker_tutor.engines.private.state import write_json
from docker_tutor.engines.vm.image import Image
from docker_tutor.engines.vm.layout import Layout
from docker_tutor.engines.vm.machine import Machine, Start
from docker_tutor.engines.vm.qcow2 import make_overlay
from docker_tutor.engines.vm.qemu_parts import Parts
from docker_tutor.i18n import _
from docker_tutor.processes import boot_id
from docker_tutor.units import MiB

__all__ = [
    "CPUS",
    "OVERHEAD_BYTES",
    "READY_WITHIN_S",
    "SAVES",
    "accelerator",
    "beside",
    "explained",
    "possible",
    "start",
]

CPUS = 2
OVERHEAD_BYTES = 384 * MiB
"""What QEMU takes beside the guest's memory: translated code most of all."""
READY_WITHIN_S = 300
"""Emulation on a busy machine is slow, and not stuck: the guest's own first program tells when it fails."""
TRANSLATED_MIB = 256
SAVES = True
TRIAL_WITHIN_S = 10
TRIAL_SAYS = "a-guest-has-booted"
TRIAL_ENDS = re.compile(rb"^" + TRIAL_SAYS.encode() + rb"|KVM internal error", re.MULTILINE)
KVM = Path("/dev/kvm")
FIXED = (
    "-nodefaults",
    "-no-user-config",
    "-no-reboot",
    "-display",
    "none",
)
NO_MEMORY = re.compile(r"annot allocate memory|annot set up guest memory|Out of memory")
NO_KERNEL = re.compile(r"could not (load|open) (kernel|initrd|disk image)|Could not open '")
PANIC = re.compile(r"Kernel panic - not syncing: (?P<why>.*)")
TAIL_BYTES = 4096


def possible() -> str | None:
    """Return None when QEMU may run the guest here, else the reason in one sentence."""
    if not sys.platform.startswith("linux") or processor() != "x86_64":
        return _("The course's virtual machine needs Linux on an x86-64 processor.")
    return None


def accelerator(parts: Parts, memory: Path) -> str:
    """Return `kvm` if a guest really boots with the processor's help, else `tcg`: emulation.

    That a device can be opened, or that it makes a virtual machine, does not say that a guest boots on it. The answer
    is kept in the file `memory` until this machine is started anew.
    """
    if not os.access(KVM, os.R_OK | os.W_OK):
        return "tcg"
    key = f"{boot_id()} {parts.folder.name}"
    if known := _remembered(memory, key):
        return known
    chosen = "kvm" if _boots_with_kvm(parts) else "tcg"
    write_json(memory, {"key": key, "accelerator": chosen})
    return chosen


def _remembered(memory: Path, key: str) -> str | None:
    try:
        known = json.loads(memory.read_text(encoding="utf-8"))
        return str(known["accelerator"]) if known["key"] == key else None
    except (OSError, ValueError, KeyError):
        return None  # nothing was tried yet, or it cannot be read: it is tried again


def start(layout: Layout, machine: Machine, console: int, line: int, log: int, control: int | None = None, /) -> Start:
    """Return how the guest is started, with its console, its line and Docker's log at these descriptors.

    Over `control` it can be saved (see `saving`); one that resumes waits for its state, and then to be told to go on.
    """
    image, parts = Image(Path(machine.image)), Parts(Path(machine.parts))
    disks = (
        # Guests of User-Mode Linux lock the image.
        f"file={layout.copy_on_write},format=qcow2,backing.file.locking=off,werror=report",
        # By itself QEMU would stop a guest that has no room to write, and nobody would know why it is silent.
        f"file={layout.disk},format=raw,discard=unmap,werror=report",
        f"file={layout.seed},format=raw,readonly=on",
        f"file={parts.modules},format=raw,readonly=on,file.locking=off",
    )
    if not machine.resumes:
        make_overlay(layout.copy_on_write, image.disk)
    devices: list[str] = ["-chardev", f"socket,id=console,fd={console}", "-serial", "chardev:console"]
    devices += ["-device", "virtio-serial-pci"]
    for name, descriptor in (("line", line), ("log", log)):
        devices += ["-chardev", f"socket,id={name},fd={descriptor}"]
        devices += ["-device", f"virtserialport,chardev={name},name={name}"]
    for disk in disks:
        devices += ["-drive", f"if=virtio,{disk}"]
    network = (_connected(layout.bess),) if machine.networked else ()
    for descriptor in network:
        devices += ["-netdev", f"dgram,id=net,local.type=fd,local.str={descriptor}"]
        devices += ["-device", "virtio-net-pci,netdev=net,romfile="]
    for number in range(len(machine.shares)):
        devices += ["-chardev", f"socket,id=share{number},path={layout.share(number)}"]
        devices += ["-device", f"vhost-user-fs-pci,chardev=share{number},tag=share{number}"]
    if control is not None:
        devices += ["-chardev", f"socket,id=control,fd={control}", "-mon", "chardev=control,mode=control"]
    if machine.resumes:
        devices += ["-incoming", "defer", "-S"]
    parameters = {
        "console": "ttyS0",
        "panic": "-1",
        # What the kernel does not know it hands to the first program, and that to `init.sh`.
        "ROOT": "/dev/vda",
        "DISK": "/dev/vdb",
        "SEED": "/dev/vdc",
        "MODULES": "/dev/vdd",
        "LINE": "/dev/vport0p1",
        "LOG": "/dev/vport0p2",
        "NIC": "eth0",
        "SHARE": "virtiofs",
    }
    command = ["setpriv", "--pdeathsig", "KILL", *_program(parts, machine.accelerator)]
    memory = machine.memory_bytes // MiB
    command += ["-smp", str(CPUS), "-m", f"{memory}M"]
    if machine.shares:
        # Whoever serves the folders reads and writes the guest's memory.
        command += ["-object", f"memory-backend-memfd,id=memory,size={memory}M,share=on"]
        command += ["-machine", "memory-backend=memory"]
    command += [*devices, *_kernel(parts, parameters)]
    return Start(command, Path("/"), machine.environment, network)


def beside(layout: Layout, machine: Machine) -> dict[str, Start]:
    """Return what has to run before the guest is started: a server for each folder that it is to see."""
    return {
        f"share{number}": Start(_serving(layout, machine, number), Path("/"), machine.environment)
        for number in range(len(machine.shares))
    }


def explained(console: Path) -> str | None:
    """Return what the last words of a guest on its console mean, in one sentence; None when they say nothing known."""
    try:
        said = console.read_bytes()[-TAIL_BYTES:].decode(errors="replace")
    except OSError:
        return None
    if NO_MEMORY.search(said):
        return _("There is too little memory for the guest here.")
    if NO_KERNEL.search(said):
        return _("QEMU could not read what it needs: `engine up` once more makes what is damaged anew.")
    if panic := PANIC.search(said):
        return _("The guest's kernel gave up: {why}").format(why=panic["why"].strip())
    return None


def _program(parts: Parts, accelerated: str) -> list[str]:
    by = "kvm" if accelerated == "kvm" else f"tcg,thread=multi,tb-size={TRANSLATED_MIB}"
    # Five levels of page tables would be walked by emulation.
    cpu = "host" if accelerated == "kvm" else "max,la57=off"
    words = [*parts.command("qemu"), "-L", str(parts.firmware), *FIXED, "-machine", "q35,usb=off,vmport=off"]
    return [*words, "-accel", by, "-cpu", cpu]


def _kernel(parts: Parts, parameters: dict[str, str]) -> list[str]:
    words = " ".join(f"{name}={value}" for name, value in parameters.items())
    # Guarding this guest's programs against each other costs much under emulation, and it has one owner; so do the
    # kernel's tests of its own ciphers, and measuring how fast it counts to a number that does not matter here.
    line = f"{words} quiet mitigations=off random.trust_cpu=on cryptomgr.notests lpj=4000000"
    return ["-kernel", str(parts.kernel), "-initrd", str(parts.first_files), "-append", line]


def _boots_with_kvm(parts: Parts) -> bool:
    command = [*_program(parts, "kvm"), "-m", "256M", "-serial", "stdio"]
    command += _kernel(parts, {"console": "ttyS0", "panic": "-1", "TRIAL": TRIAL_SAYS})
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/"
    ) as process:
        limit = threading.Timer(TRIAL_WITHIN_S, process.kill)
        limit.start()
        try:
            # One that cannot go on says so, and then waits for somebody to look at it.
            said = next((line for line in process.stdout or () if TRIAL_ENDS.search(line)), b"")
        finally:
            limit.cancel()
            process.kill()
    return TRIAL_SAYS.encode() in said


def _serving(layout: Layout, machine: Machine, number: int) -> Sequence[str]:
    words = ["setpriv", "--pdeathsig", "KILL", *Parts(Path(machine.parts)).command("virtiofsd")]
    words += ["--shared-dir", machine.shares[number], "--socket-path", str(layout.share(number))]
    # A file that has gone while the guest rested is the loss of whoever had it open, not of all.
    words += ["--sandbox", "none", "--cache", "never", "--log-level", "info", "--migration-on-error", "guest-error"]
    if os.geteuid() != 0:
        # All that the guest's users do there is done by ours.
        for kind, own in (("uid", os.geteuid()), ("gid", os.getegid())):
            words += [f"--translate-{kind}", f"squash-guest:0:{own}:{2**32 - 1}"]
    return words


def _connected(path: Path) -> int:
    """Return a descriptor of a connection to slirp4netns, over which each message is a frame."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.connect(str(path))
        return connection.detach()
