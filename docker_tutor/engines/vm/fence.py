"""A fence of bubblewrap's namespaces around what must not be trusted: a machine, or a command that reads what it left.

Inside there are the distribution's programs, what is named, and nothing else of this machine: no home folder, no other
process, no network but a loopback of its own. What runs inside is a user who owns nothing.

It is what keeps a guest's root from this machine: a machine of User-Mode Linux is an ordinary process that opens files
for its guest, whatever the guest asks for (see `uml`).

Source: `man 1 bwrap`; `man 7 namespaces`, `man 7 capabilities`; `man 1 setpriv`.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docker_tutor.errors import EngineStartFailed
from docker_tutor.i18n import _

__all__ = ["NOBODY", "Fence", "owned", "possible", "words"]

NOBODY = 65534
"""The user of the distribution that owns no files."""


@dataclass(frozen=True, slots=True)
class Fence:
    """What a fenced machine sees of this one beside its own parts and its shares."""

    readable: tuple[str, ...] = ()
    """Files and folders that it may read, under their own names."""
    hidden: tuple[str, ...] = ()
    """Folders among these that are shown empty."""
    placed: dict[str, str] = field(default_factory=dict)
    """Files that it finds under another name: where, and which."""
    doors: dict[str, int] = field(default_factory=dict)
    """Sockets of this machine, and the ports of the guest to which they lead: the only way in beside Docker's API."""

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Fence":
        """Return it from the form that `dataclasses.asdict` and JSON give it. Raises `KeyError`, `TypeError`."""
        return cls(tuple(found["readable"]), tuple(found["hidden"]), dict(found["placed"]), dict(found["doors"]))


def possible() -> str | None:
    """Return None where there can be a fence, else the reason in one sentence."""
    if os.geteuid() != 0:
        return _("A fence with all of its limits can only be put up by root.")
    if shutil.which("bwrap") is None:
        return _("There is no bubblewrap here: apt-get install bubblewrap.")
    return None


def words(
    fence: Fence,
    *,
    folder: Path,
    writable: Sequence[Path] = (),
    readable: Sequence[Path] = (),
    scratch_bytes: int,
    networked: bool = False,
) -> list[str]:
    """Return the command to put before another one, which then begins in `folder` and has `scratch_bytes` in `/tmp`.

    Raises EngineStartFailed where no fence is possible.
    """
    if reason := possible():
        raise EngineStartFailed(reason)
    shown = [*map(Path, fence.readable), *readable]
    start = ["bwrap", "--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
    start += [] if networked else ["--unshare-net"]
    start += ["--unshare-cgroup-try", "--hostname", "student"]
    for common in ("/etc", "/run"):
        start += ["--perms", "0755", "--dir", common]
    start += [*_system(), "--proc", "/proc", "--dev", "/dev"]
    start += ["--perms", "1777", "--size", str(scratch_bytes), "--tmpfs", "/tmp"]  # noqa: S108 - the fence's own
    start += _parents([*shown, *writable, *map(Path, fence.placed)])
    for path in shown:
        start += ["--ro-bind", str(path), str(path)]
    for emptied in fence.hidden:
        start += ["--tmpfs", emptied]
    for name, source in fence.placed.items():
        start += ["--ro-bind", source, name]
    for path in writable:
        start += ["--bind", str(path), str(path)]
    start += ["--chdir", str(folder), "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--"]
    return [*start, "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]


def owned(*paths: Path) -> None:
    """Give `paths` to the user inside."""
    for path in paths:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def _parents(paths: Sequence[Path]) -> list[str]:
    """Return the options that make the folders above `paths`: bubblewrap by itself makes them for root alone."""
    above = {parent for path in paths for parent in path.parents} - {Path("/"), Path("/tmp")}  # noqa: S108
    inside = {parent for parent in above if any(parent.is_relative_to(path) for path in paths)}
    return [word for parent in sorted(above - inside) for word in ("--perms", "0755", "--dir", str(parent))]


def _system() -> Iterator[str]:
    """Yield the options that show the distribution's programs and libraries, and little of its settings."""
    for name in ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"):
        path = Path(name)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), name)
        elif path.exists():
            yield from ("--ro-bind", name, name)
    for name in ("/etc/alternatives", "/etc/ld.so.cache", "/etc/ssl"):
        yield from ("--ro-bind-try", name, name)
