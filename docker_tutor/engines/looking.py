"""What of a daemon can be seen from here: its process, its containers' cgroups, its layers. Found by looking."""

import os
import socket
import struct
from pathlib import Path
from typing import Any

__all__ = ["cgroups_visible", "daemon_process", "ipvs_available", "layers_visible", "processes_visible"]

PEER = struct.Struct("3i")
DAEMON = "dockerd"


def daemon_process(path: Path) -> int | None:
    """Return the PID of the dockerd behind the socket `path`; None when it cannot be seen from here.

    The kernel names whoever began to listen (`man 7 unix`, SO_PEERCRED): the daemon, or systemd for it. Where that is
    a proxy to a virtual machine, no dockerd is found, as it should be.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(5)
            connection.connect(str(path))
            peer, _uid, _gid = PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))
    except OSError:
        return None
    if _name(peer) == DAEMON:
        return int(peer)
    if _name(peer) == "systemd":
        # A dockerd that systemd started is systemd's child, a private one is not.
        return next((pid for pid in _pids() if _name(pid) == DAEMON and _parent(pid) == peer), None)
    return None


def processes_visible(pid: int | None) -> bool:
    """Whether the daemon numbers processes as we do: one in a container or a PID namespace has numbers of its own."""
    try:
        return pid is not None and Path("/proc/self/ns/pid").samefile(f"/proc/{pid}/ns/pid")
    except OSError:
        return False


def cgroups_visible(pid: int | None) -> bool:
    """Whether the cgroup of `pid`, as the kernel names it, is a folder below /sys/fs/cgroup here."""
    if pid is None:
        return False
    for line in _read(f"/proc/{pid}/cgroup").splitlines():
        _number, controllers, path = line.split(":", 2)
        tree = controllers.removeprefix("name=")
        if (Path("/sys/fs/cgroup") / tree / path.lstrip("/") / "cgroup.procs").exists():
            return True
    return False


def layers_visible(info: dict[str, Any]) -> bool:
    """Whether the folder that the daemon calls its data root is the one that we see under this name, and readable."""
    root = Path(str(info.get("DockerRootDir", "")))
    try:
        # The daemon writes its own ID there, which proves that we look at the same file system.
        return (root / "engine-id").read_text(encoding="ascii").strip() == info.get("ID")
    except OSError:
        return False


def ipvs_available(pid: int | None) -> bool:
    """Whether the kernel balances loads in the daemon's network, loaded already or as a module to load."""
    if pid is not None and Path(f"/proc/{pid}/net/ip_vs").exists():
        return True
    if Path("/sys/module/ip_vs").exists():
        return True
    modules = Path("/lib/modules", os.uname().release)
    known = _read(str(modules / "modules.dep")) + _read(str(modules / "modules.builtin"))
    return "/ip_vs.ko" in known


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _name(pid: int) -> str:
    return _read(f"/proc/{pid}/comm").strip()


def _parent(pid: int) -> int | None:
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return int(fields[1]) if fields else None


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
