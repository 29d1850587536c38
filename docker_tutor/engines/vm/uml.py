"""User-Mode Linux: how a guest is started, and what its last words mean.

It shields this machine from accidents and from code in an ordinary container, not from whoever is root in the guest
(`--privileged`, `-v /:/host`): such a one may mount any folder that the guest's owner may read, as `hostfs`, whose
setting of a root is left by `..` (tried), and may load modules into the kernel, which is a process of the owner's.

Source: Linux kernel, Documentation/virt/uml/user_mode_linux_howto_v2.rst; `man 1 slirp4netns` (--target-type=bess).
"""

import os
import re
import sys
from pathlib import Path
from platform import machine as processor

from docker_tutor.engines import port_ranges
from docker_tutor.engines.vm.image import Image
from docker_tutor.engines.vm.layout import Layout
from docker_tutor.engines.vm.machine import Machine, Start
from docker_tutor.i18n import _
from docker_tutor.units import MiB

__all__ = ["OVERHEAD_BYTES", "READY_WITHIN_S", "beside", "explained", "possible", "start"]

PTRACE_REFUSED = re.compile(r"ptrace: Operation not permitted|check_ptrace|PTRACE_TRACEME failed", re.IGNORECASE)
NO_MEMORY = re.compile(r"Too few physical memory|Failed to create physmem|No space left on device|Out of memory")
PANIC = re.compile(r"Kernel panic - not syncing: (?P<why>.*)")
TAIL_BYTES = 4096
READY_WITHIN_S = 90
OVERHEAD_BYTES = 0


def possible() -> str | None:
    """Return None when User-Mode Linux may run here, else the reason in one sentence; trying tells the rest."""
    if not sys.platform.startswith("linux") or processor() != "x86_64":
        return _("User-Mode Linux needs Linux on an x86-64 processor.")
    return None


def start(layout: Layout, machine: Machine, console: int, line: int, log: int) -> Start:
    """Return how the guest is started, with its console, its line and Docker's log at these descriptors."""
    image = Image(Path(machine.image))
    parameters = {
        "mem": f"{machine.memory_bytes // MiB}M",
        "ubd0": f"{layout.copy_on_write},{image.disk}",
        "ubd1": str(layout.disk),
        "ubd2r": str(layout.seed),
        "root": "/dev/ubda",
        "init": "/init",
        "con": "null",
        "con0": f"null,fd:{console}",
        "ssl": "null",
        "ssl0": f"fd:{line}",
        "ssl1": f"fd:{log}",
        "umid": "guest",
        "uml_dir": str(layout.runtime),
        "panic": "-1",
        # What the kernel does not know it hands to `init.sh`.
        "SEED": "/dev/ubdc",
        "DISK": "/dev/ubdb",
        "LINE": "/dev/ttyS0",
        "LOG": "/dev/ttyS1",
        "NIC": "vec0",
        "SHARE": "hostfs",
    }
    if machine.networked:
        parameters["vec0:transport"] = f"bess,dst={layout.bess},depth=128"
    with port_ranges.claim() as (ports, held):
        # Held by the kernel's process, which inherits it.
        descriptors = (os.dup(held.fileno()),) if held else ()
        parameters["PORTS"] = f"{ports[0]}-{ports[-1]}" if ports else ""
    words = [f"{name}={value}" for name, value in parameters.items()]
    # The kernel ends with whoever started it (man 2 prctl, PR_SET_PDEATHSIG).
    command = ["setpriv", "--pdeathsig", "KILL", "env", f"LD_LIBRARY_PATH={image.libraries}", str(image.kernel)]
    environment = {**machine.environment, "TMPDIR": machine.memory_folder}
    whole = [*command, *words, "rw", "quiet", "noreboot"]
    return Start(whole, image.libraries, environment, descriptors, frozenset({machine.cpu}))


def beside(_layout: Layout, _machine: Machine) -> dict[str, Start]:
    """Return what has to run before the guest is started: nothing, it opens folders of this machine itself."""
    return {}


def explained(console: Path) -> str | None:
    """Return what the last words of a guest on its console mean, in one sentence; None when they say nothing known."""
    try:
        said = console.read_bytes()[-TAIL_BYTES:].decode(errors="replace")
    except OSError:
        return None
    if PTRACE_REFUSED.search(said):
        return _("User-Mode Linux needs ptrace, and this sandbox forbids it: DOCKER_TUTOR_ENGINE=qemu needs none.")
    if NO_MEMORY.search(said):
        return _("There is too little memory for the guest here, or no room for the file that holds it.")
    if panic := PANIC.search(said):
        return _("The guest's kernel gave up: {why}").format(why=panic["why"].strip())
    return None
