"""What a container's root may not do: calls refused for a missing capability, by seccomp, or by a read-only root.

Sources: `man 7 capabilities`; `man 2 seccomp`; Docker's documentation, "Seccomp security profiles".
"""

import json
from dataclasses import dataclass

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _

__all__ = ["Call", "Calls", "capability_names", "refused_calls"]

IMAGE = "alpine:3.19"
NO_MKDIR = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}],
}
"""A seccomp profile that allows everything but making a folder."""
CALLS = {
    "chown": "touch /mine && chown 1001 /mine",
    "mount": "mount -t tmpfs none /mnt",
    "new user namespace": "unshare --user true",
    "mkdir": "mkdir /made",
}
# fmt: off
NAMES = (
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL",
    "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST",
    "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO",
    "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
    "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE",
    "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM",
    "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE",
)
# fmt: on
"""The capabilities in the kernel's order: the first is bit 0."""


@dataclass(frozen=True, slots=True)
class Call:
    """One way to start a container, and what its root was allowed."""

    way: str
    options: tuple[str, ...]
    capabilities: tuple[str, ...]
    seccomp: bool
    """Whether a filter is in force."""
    refused: dict[str, str]
    """Call → what the program was told; a call that is not in it was allowed."""


@dataclass(frozen=True, slots=True)
class Calls:
    """The same four calls by root, in containers started differently."""

    rows: tuple[Call, ...]

    def way(self, way: str) -> Call:
        """Return what one way allowed."""
        return next(row for row in self.rows if row.way == way)

    def to_frame(self) -> pd.DataFrame:
        """Return one line per way, with `refused` under each call that was."""
        rows = [
            {"docker run …": row.way, "capabilities": len(row.capabilities), "seccomp filter": row.seccomp}
            | {call: _("refused") if call in row.refused else _("allowed") for call in CALLS}
            for row in self.rows
        ]
        return pd.DataFrame(rows)


def capability_names(mask: int) -> tuple[str, ...]:
    """Return the names of the bits in a mask as `/proc/PID/status` has it; a bit without a name keeps its number."""
    bits = [bit for bit in range(mask.bit_length()) if mask >> bit & 1]
    return tuple(NAMES[bit] if bit < len(NAMES) else str(bit) for bit in bits)


def refused_calls(room: Room) -> Calls:
    """Start containers with more and with fewer rights, and let root try the same four calls in each."""
    profile = room.folder / "no-mkdir.json"
    profile.write_text(json.dumps(NO_MKDIR))
    ways: dict[str, tuple[str, ...]] = {
        _("(nothing said)"): (),
        "--cap-drop ALL": ("--cap-drop", "ALL"),
        "--cap-drop ALL --cap-add CHOWN": ("--cap-drop", "ALL", "--cap-add", "CHOWN"),
        "--security-opt seccomp=no-mkdir.json": ("--security-opt", f"seccomp={profile}"),
        "--cap-add SYS_ADMIN": ("--cap-add", "SYS_ADMIN", "--security-opt", "apparmor=unconfined"),
        "--read-only": ("--read-only",),
    }
    return Calls(tuple(_call(room, way, options) for way, options in ways.items()))


def _call(room: Room, way: str, options: tuple[str, ...]) -> Call:
    tries = " ; ".join(f"echo '= {name}' ; ({script}) 2>&1 || echo '! refused'" for name, script in CALLS.items())
    script = f"grep -E '^(CapEff|Seccomp):' /proc/self/status ; {tries}"
    written = room.cli("run", "--rm", "--network", "none", *options, IMAGE, "sh", "-c", script, check=False).stdout
    status, *parts = written.split("= ")
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    refused = {}
    for part in parts:
        name, *said = part.strip().splitlines()
        if "! refused" in said:
            refused[name] = " ".join(line for line in said if line != "! refused")
    capabilities = capability_names(int(fields["CapEff"], 16))
    return Call(way, options, capabilities, fields["Seccomp"].strip() != "0", refused)
