"""The fence around student code in the isolated mode: bubblewrap's namespaces, and no user of this machine.

Inside there are the distribution's programs, Python with the course's packages, the engine's command line, and three
things that are the student's: a folder, the socket of a daemon in a virtual machine, and the sockets through which
cells arrive. There is no network, no other process, no home folder, no gradebook, and nothing that checks. Started by
root, what runs inside is a user who owns nothing else.

Source: `man 1 bwrap`; `man 7 namespaces`, `man 7 capabilities`.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import docker_tutor
from docker_tutor.errors import SeatFailed
from docker_tutor.grading import labs
from docker_tutor.i18n import _
from docker_tutor.paths import cache_folder

__all__ = ["NOBODY", "fence"]

NOBODY = 65534
"""The user of the distribution that owns no files."""
_TMP_BYTES = 256 << 20
_TO_NOBODY = (
    f"import os, sys; os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY}); os.execv(sys.argv[1], sys.argv[1:])"
)


def fence(*, writable: Sequence[Path], readable: Sequence[Path], folder: Path) -> list[str]:
    """Return the command to put before another one: what it may write to and read, and where it begins.

    Raises SeatFailed where there is no bubblewrap.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise SeatFailed(_("Isolated grading needs bubblewrap: apt-get install bubblewrap."))
    words = [
        program,
        "--die-with-parent",
        "--as-pid-1",
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-net",
        "--unshare-uts",
    ]
    words += ["--unshare-cgroup-try", "--hostname", "student", *_system(), "--proc", "/proc", "--dev", "/dev"]
    words += ["--perms", "1777", "--size", str(_TMP_BYTES), "--tmpfs", "/tmp"]  # noqa: S108 - the fence's own
    shown = [*_python(), cache_folder().resolve() / "engines", *readable]
    words += _parents([*shown, *writable])
    for path in shown:
        words += ["--ro-bind", str(path), str(path)]
    for module in labs.__path__:
        words += ["--tmpfs", module]  # what is looked at is nobody's business in there
    for path in writable:
        words += ["--bind", str(path), str(path)]
    words += ["--chdir", str(folder)]
    if os.geteuid() == 0:
        words += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        return [*words, "--", sys.executable, "-I", "-c", _TO_NOBODY]
    return [*words, "--unshare-user", "--"]


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


def _python() -> Iterator[Path]:
    """Yield where this Python and its packages are, as far as they are not the distribution's."""
    found = {Path(sys.prefix), Path(sys.base_prefix), Path(docker_tutor.__file__).parent}
    for path in sorted(found):
        if not path.is_relative_to("/usr"):
            yield path.resolve()
