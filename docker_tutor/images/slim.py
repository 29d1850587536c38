"""What stays out of an image: the engine's doing, traces of the day it was made, and what an image is not read for."""

from fnmatch import fnmatchcase

__all__ = ["kept"]

DROPPED = (
    "/.dockerenv", "/.making*", "/dev/*", "/proc/*", "/sys/*", "/tmp/*", "/var/tmp/*",  # noqa: S108 - named, not used
    "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/etc/mtab", "/etc/machine-id", "/etc/.pwd.lock",
    "/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/subuid-", "/etc/subgid-",
    "/usr/share/doc/*/*", "/usr/share/groff/*", "/usr/share/info/*", "/usr/share/lintian/*", "/usr/share/linda/*",
    "/usr/share/locale/*", "/usr/share/man/*/*",
    "/var/cache/apt/*", "/var/cache/ldconfig/*", "/var/cache/debconf/*-old", "/var/lib/apt/lists/*",
    "/var/lib/dpkg/*-old", "/var/lib/dpkg/lock*", "/var/lib/dpkg/triggers/Lock", "/var/lib/systemd/*",
    "/var/log/dpkg.log", "/var/log/alternatives.log", "/var/log/bootstrap.log", "/var/log/fontconfig.log",
    "/var/log/apt/*", "/var/log/faillog", "/var/log/lastlog", "/var/log/tallylog",
)  # fmt: skip
"""Patterns of absolute paths; `*` matches slashes too."""


def kept(path: str) -> bool:
    """Whether a file of a container belongs into the image: not what the engine or a log put there."""
    plain = path.replace("/.wh.", "/")
    if fnmatchcase(plain, "/usr/share/doc/*/copyright"):
        return True
    return not any(fnmatchcase(plain, pattern) for pattern in DROPPED)
