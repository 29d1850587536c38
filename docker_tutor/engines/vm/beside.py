"""Inside the guest: the program that runs beside the daemon (see `program`), started, limited, and ended.

Run by `guest`, with the standard library alone.
"""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

__all__ = ["Beside"]

PROGRAM = Path("/run/seed/program.json")
ROOT = Path("/program")
GROUP = Path("/sys/fs/cgroup/program")
DOCKER_SOCKET = "/run/docker.sock"
NOBODY, DOCKER = 65534, 999
"""The user that it is, and the group that may speak to the daemon."""
ROUNDS = 20


class Beside:
    """The program, or the lack of one."""

    def __init__(self, log: int) -> None:
        """Start nothing yet; what it says goes to `log`."""
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, if there is one to be started and it has not been."""
        if self._process is not None or not PROGRAM.exists():
            return
        told: dict[str, Any] = json.loads(PROGRAM.read_text(encoding="utf-8"))
        _lay_out(told)
        GROUP.mkdir(exist_ok=True)
        for name, limit in told["limits"].items():
            if (GROUP / name).exists():  # the kernel has that controller
                (GROUP / name).write_text(limit, encoding="ascii")

        def enter() -> None:
            (GROUP / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")
            os.chroot(ROOT)
            os.chdir(told["folder"])
            os.setgroups([DOCKER])
            os.setgid(NOBODY)
            os.setuid(NOBODY)

        self._process = subprocess.Popen(
            told["words"],
            env=told["environment"],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            preexec_fn=enter,  # noqa: PLW1509 - this process has one thread
            start_new_session=True,
        )

    def has_ended(self) -> bool:
        """Return whether it has ended, once: what it has left is ended too."""
        if self._process is None or not PROGRAM.exists() or self._process.poll() is None:
            return False
        self.end()
        PROGRAM.unlink()
        return True

    def end(self) -> None:
        """Kill it with all that it has started (Documentation/admin-guide/cgroup-v2.rst, cgroup.kill)."""
        if (GROUP / "cgroup.kill").exists():
            (GROUP / "cgroup.kill").write_text("1", encoding="ascii")
            return
        for _round in range(ROUNDS):  # of an older kernel: what forks meanwhile is met in the next round
            left = (GROUP / "cgroup.procs").read_text(encoding="ascii").split() if GROUP.exists() else []
            for pid in left:
                os.kill(int(pid), signal.SIGKILL)


def _lay_out(told: dict[str, Any]) -> None:
    """Put together the root in which it runs: what the machine sees of the other one, and what is the guest's own."""
    # Behind a fence no name server answers, and not to answer takes dockerd much longer than to refuse.
    Path("/etc/resolv.conf").write_text("nameserver 127.0.0.1\n", encoding="ascii")
    _busybox("mkdir", "-p", str(ROOT))
    _busybox("mount", "-t", "hostfs", "-o", "ro,/", "none", str(ROOT))
    _busybox("mount", "-t", "proc", "proc", f"{ROOT}/proc")
    _busybox("mount", "-o", "rbind", "/dev", f"{ROOT}/dev")
    _busybox("mount", "-t", "tmpfs", "-o", "mode=1777,size=128m", "tmpfs", f"{ROOT}/tmp")  # noqa: S108 - its own
    _busybox("mount", "-t", "tmpfs", "-o", "mode=755,size=1m", "tmpfs", f"{ROOT}/run")
    folder = told["folder"]
    for each in (folder, *told["shown"]):
        (ROOT / each.lstrip("/")).mkdir(parents=True, exist_ok=True)  # its own /tmp may lie over it
    for each in told["shown"]:
        _busybox("mount", "-t", "hostfs", "-o", f"ro,{each}", "none", f"{ROOT}{each}")
    _busybox("mount", "-o", "bind", folder, f"{ROOT}{folder}")
    (ROOT / DOCKER_SOCKET.lstrip("/")).touch()
    _busybox("mount", "-o", "bind", DOCKER_SOCKET, f"{ROOT}{DOCKER_SOCKET}")
    for name, text in told["files"].items():
        (ROOT / "run" / name).write_text(text, encoding="utf-8")


def _busybox(*words: str) -> None:
    subprocess.run(["/usr/bin/busybox", *words], check=True)
