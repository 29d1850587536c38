"""What stays out of an image: the engine's doing, traces of the day it was made, and what an image is not read for."""

import re
from fnmatch import translate

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

# One expression instead of forty: it is asked for every file of an image.
_DROPPED = re.compile("|".join(map(translate, DROPPED)))
_COPYRIGHT = re.compile(translate("/usr/share/doc/*/copyright"))


def kept(path: str) -> bool:
    """Whether a file of a container belongs into the image: not what the engine or a log put there."""
    plain = path.replace("/.wh.", "/")
    return not _DROPPED.fullmatch(plain) or bool(_COPYRIGHT.fullmatch(plain))
