"""User-Mode Linux: how a guest is started, and what its last words mean.

It shields this machine from accidents and from code in an ordinary container, not from whoever is root in the guest
(`--privileged`, `-v /:/host`): such a one may mount any folder that the guest's owner may read, as `hostfs`, whose
setting of a root is left by `..` (tried), and may load modules into the kernel, which is a process of the owner's.
With a fence around the machine, the owner is nobody, and what may be read is what the fence shows.

Source: Linux kernel, Documentation/virt/uml/user_mode_linux_howto_v2.rst; `man 1 slirp4netns` (--target-type=bess).
"""

import os
import re
import sys
from pathlib import Path
from platform import machine as processor

from docker_tutor.engines import port_ranges
from docker_tutor.engines.vm import fence
from docker_tutor.engines.vm.image import Image
from docker_tutor.engines.vm.layout import Layout
from docker_tutor.engines.vm.machine import Machine, Start
from docker_tutor.i18n import _
from docker_tutor.units import MiB

__all__ = ["OVERHEAD_BYTES", "READY_WITHIN_S", "SAVES", "beside", "explained", "possible", "start"]

PTRACE_REFUSED = re.compile(r"ptrace: Operation not permitted|check_ptrace|PTRACE_TRACEME failed", re.IGNORECASE)
NO_MEMORY = re.compile(r"Too few physical memory|Failed to create physmem|No space left on device|Out of memory")
PANIC = re.compile(r"Kernel panic - not syncing: (?P<why>.*)")
TAIL_BYTES = 4096
_MORE_BYTES = 64 * MiB
READY_WITHIN_S = 90
OVERHEAD_BYTES = 0
SAVES = False


def possible() -> str | None:
    """Return None when User-Mode Linux may run here, else the reason in one sentence; trying tells the rest."""
    if not sys.platform.startswith("linux") or processor() != "x86_64":
        return _("User-Mode Linux needs Linux on an x86-64 processor.")
    return None


def start(layout: Layout, machine: Machine, console: int, line: int, log: int, _control: int | None = None, /) -> Start:
    """Return how the guest is started, with its console, its line and Docker's log at these descriptors."""
    image = Image(Path(machine.image))
    own = layout.own if machine.fence else layout.runtime
    parameters = {
        "mem": f"{machine.memory_bytes // MiB}M",
        "ubd0": f"{own / layout.copy_on_write.name},{image.disk}",
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
        "uml_dir": str(own),
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
    descriptors: tuple[int, ...] = ()
    # Behind a fence all ports are its own, and a socket of this machine's network would be a hole in it.
    if not machine.fence:
        with port_ranges.claim() as (ports, held):
            # Held by the kernel's process, which inherits it.
            descriptors = (os.dup(held.fileno()),) if held else ()
            parameters["PORTS"] = f"{ports[0]}-{ports[-1]}" if ports else ""
    options = [f"{name}={value}" for name, value in parameters.items()]
    # The kernel ends with whoever started it (man 2 prctl, PR_SET_PDEATHSIG).
    command = ["setpriv", "--pdeathsig", "KILL"]
    environment = {**machine.environment, "TMPDIR": machine.memory_folder}
    if machine.fence:
        command += _fenced(machine.fence, layout, machine, image)
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR": "/tmp"}  # noqa: S108 - the fence's own
    command += ["env", f"LD_LIBRARY_PATH={image.libraries}", str(image.kernel), *options, "rw", "quiet", "noreboot"]
    return Start(command, image.libraries, environment, descriptors, frozenset({machine.cpu}))


def _fenced(around: fence.Fence, layout: Layout, machine: Machine, image: Image) -> list[str]:
    """Put up the fence: give what the machine writes to its user, and return the command that starts it inside."""
    layout.own.mkdir(mode=0o700, exist_ok=True)
    sockets = [layout.bess] if machine.networked else []
    fence.owned(layout.own, layout.disk, layout.seed, *sockets)
    return fence.words(
        around,
        folder=image.libraries,
        writable=[layout.own, layout.disk, *sockets, *map(Path, machine.shares)],
        readable=[image.folder, layout.seed],
        scratch_bytes=machine.memory_bytes + _MORE_BYTES,  # the guest's memory is a file there
    )


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
