"""Which Debian mirror this machine uses, read from its own package sources.

Both forms of `man 5 sources.list` are read: deb822 paragraphs (their `URIs:` fields, never their
comments, which name hosts that need not answer) and one-line entries. Third-party repositories are
left out, so that nothing but the distribution can end up in an engine.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from debian.deb822 import Deb822

from docker_tutor.errors import DownloadFailed
from docker_tutor.i18n import _

__all__ = ["Mirror", "mirrors"]

DEFAULT_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
RELEASES = frozenset(
    ("bullseye", "bookworm", "trixie", "forky", "duke", "sid", "oldstable", "stable", "testing", "unstable")
)
ONE_LINE = re.compile(r"^\s*deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>[^#]+)")


@dataclass(frozen=True, slots=True)
class Mirror:
    """Where the distribution and its security updates come from, and the keys that sign them."""

    uri: str
    security_uri: str | None
    signed_by: str
    """A keyring's path, or an ASCII-armoured key as a deb822 field holds it."""


@dataclass(frozen=True, slots=True)
class _Entry:
    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str | None

    def release(self, *, security: bool) -> bool:
        """Whether it carries a release's `main` (with `security`: its security updates)."""
        for suite in self.suites:
            base, _sep, pocket = suite.rstrip("/").replace("/", "-").partition("-")
            if base in RELEASES and (pocket in {"security", "updates"} if security else not pocket):
                return "main" in self.components and self._of_debian()
        return False

    def _of_debian(self) -> bool:
        return self.signed_by is None or "debian-archive" in self.signed_by or self.signed_by.startswith("-----")


def mirrors(etc: Path = Path("/etc/apt")) -> Mirror:
    """Return the mirror that the sources below `etc` name; `DOCKER_TUTOR_MIRROR` (a URI) goes before them.

    `DOCKER_TUTOR_SECURITY_MIRROR` is where security updates come from where no source says it (Ubuntu has others).

    Raises `DownloadFailed` when they name no Debian release.
    """
    entries = list(_entries(etc))
    # A third party may call its suite `bookworm` too; Debian's own archive is served from …/debian.
    main = sorted((e for e in entries if e.release(security=False)), key=lambda e: not _looks_like(e, "debian"))
    security = [e for e in entries if e.release(security=True) and _looks_like(e, "debian-security")]
    chosen = os.environ.get("DOCKER_TUTOR_MIRROR") or (main[0].uris[0] if main else None)
    if not chosen:
        raise DownloadFailed(
            _(
                "No Debian repository was found in {folder}: set DOCKER_TUTOR_MIRROR to the address of a Debian mirror."
            ).format(folder=etc)
        )
    signed_by = next((e.signed_by for e in main if e.signed_by), None) or str(DEFAULT_KEYRING)
    updates = os.environ.get("DOCKER_TUTOR_SECURITY_MIRROR") or (security[0].uris[0] if security else None)
    return Mirror(chosen, updates, signed_by)


def _looks_like(entry: _Entry, last: str) -> bool:
    return any(uri.rstrip("/").rpartition("/")[2] in {last, f"{last}.list"} for uri in entry.uris)


def _entries(etc: Path) -> Iterator[_Entry]:
    parts = etc / "sources.list.d"
    for file in [etc / "sources.list", *sorted(parts.glob("*.list"))]:
        if file.is_file():
            yield from _one_line(file.read_text(encoding="utf-8", errors="replace"))
    for file in sorted(parts.glob("*.sources")):
        yield from _deb822(file.read_text(encoding="utf-8", errors="replace"))


def _one_line(text: str) -> Iterator[_Entry]:
    for line in text.splitlines():
        if found := ONE_LINE.match(line):
            options = dict(option.partition("=")[::2] for option in (found["options"] or "").split())
            components = tuple(found["components"].split())
            yield _Entry((found["uri"],), (found["suite"],), components, options.get("signed-by"))


def _deb822(text: str) -> Iterator[_Entry]:
    for paragraph in Deb822.iter_paragraphs(text.splitlines()):
        if paragraph.get("Enabled", "yes").strip().lower() in {"no", "false", "0", "off", "without", "disable"}:
            continue
        words = {field: tuple(paragraph.get(field, "").split()) for field in ("Types", "URIs", "Suites", "Components")}
        if "deb" in words["Types"] and words["URIs"]:
            signed_by = (paragraph.get("Signed-By") or "").strip() or None
            yield _Entry(words["URIs"], words["Suites"], words["Components"], signed_by)
