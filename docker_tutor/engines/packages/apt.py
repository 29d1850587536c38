"""apt with a configuration of its own: own sources, lists, status and archives, the machine's own way to the network.

The machine's `Acquire::` settings (proxies, certificates, time-outs) and passwords (`auth.conf`) are
kept; its hooks, its sources and what it has installed are not looked at. Works without root.
Source: `man 5 apt.conf`.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from docker_tutor.engines.packages.sources import Mirror
from docker_tutor.errors import DiskFull, DownloadFailed, EngineNotFound, PackageError, SignatureInvalid
from docker_tutor.i18n import _
from docker_tutor.progress import Report, Step, silent

__all__ = ["Apt"]

NOT_KEPT = re.compile(r"^Acquire::(Allow|IndexTargets\b|Languages\b|GzipIndexes\b|cdrom\b)")
SIGNATURE = re.compile(r"NO_PUBKEY|BADSIG|EXPKEYSIG|REVKEYSIG|[Ss]ignature|is not signed|[Mm]issing key|\bsqv\b")
FULL = re.compile(r"No space left on device|enough free space|\(28: ")
ALWAYS_WITH_SECURITY = frozenset(("bullseye", "bookworm", "trixie", "oldstable", "stable"))
OWN = """\
Dir::Etc "{folder}/etc";
Dir::Etc::netrc "/etc/apt/auth.conf";
Dir::Etc::netrcparts "/etc/apt/auth.conf.d";
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}";
Dir::Log "{folder}/log";
Dir::Bin::methods "{methods}";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Sandbox::User "";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
"""


class Apt:
    """apt's programs run on a folder of our own, for one suite of one mirror."""

    def __init__(self, folder: Path, suite: str, mirror: Mirror) -> None:
        """Use `folder` (see `configure`) for `suite` of `mirror`."""
        self.folder = folder
        self.suite = suite
        self.mirror = mirror

    @property
    def environment(self) -> dict[str, str]:
        """The environment that makes any program of apt use this folder."""
        return os.environ | {"APT_CONFIG": str(self.folder / "apt.conf"), "LC_ALL": "C"}

    def configure(self) -> None:
        """Write the configuration: the machine's way to the network may be another than the last time."""
        for part in ("etc/apt.conf.d", "etc/preferences.d", "etc/sources.list.d", "state/lists/partial"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        for part in ("archives/partial", "none/partial", "log"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        (self.folder / "status").write_bytes(b"")
        configuration = self.folder / "apt.conf"
        configuration.touch(mode=0o600)  # a proxy's address may hold a password
        machine = _dump()
        own = OWN.format(folder=self.folder, methods=_methods(machine))
        configuration.write_text(_network_settings(machine) + own, encoding="utf-8")

    def update(self, report: Report = silent) -> None:
        """Fetch the signed indexes. Raises `DownloadFailed`, `SignatureInvalid` or `DiskFull`."""
        task = _("Reading the package indexes")
        sources = self.folder / "etc/sources.list.d/debian.sources"
        sources.write_text(self._sources(security=True), encoding="utf-8")
        try:
            self.run(["update"], report, task)
        except DownloadFailed:
            if self.suite in ALWAYS_WITH_SECURITY:
                raise
            # Testing has, at times, no such folder on the mirror.
            sources.write_text(self._sources(security=False), encoding="utf-8")
            self.run(["update"], report, task)

    def run(self, arguments: Sequence[str], report: Report = silent, task: str = "", total: float = 100) -> str:
        """Run `apt-get` with `arguments` and return what it printed; `report` gets its progress.

        `total` is the number of bytes that 100 % stands for. Raises a `PackageError`.
        """
        command = ["apt-get", "--quiet", "--quiet", "--assume-yes", *arguments]
        reading, writing = os.pipe()
        # A file, not a pipe: nobody reads it while the status is read, and hundreds of lines would fill a pipe.
        said = tempfile.TemporaryFile()  # noqa: SIM115 - closed below, with the process
        try:
            process = subprocess.Popen(
                [*command, "-o", f"APT::Status-Fd={writing}"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                pass_fds=[writing],
            )
        except FileNotFoundError as error:
            os.close(reading)
            said.close()
            raise EngineNotFound(
                _("The engine's packages come through apt-get, and this machine has none: use Debian or a relative.")
            ) from error
        finally:
            os.close(writing)
        with said, process, os.fdopen(reading, encoding="utf-8", errors="replace") as status:
            try:
                for line in status:
                    if task and line.startswith("dlstatus:"):
                        share = float(line.split(":")[2]) / 100
                        report(Step(task, share * total, total, "bytes" if total != 100 else "steps"))
                process.wait()
                said.seek(0)
                output = said.read().decode(errors="replace")
            except BaseException:
                process.terminate()  # interrupted: apt keeps what it has and goes on from there the next time
                raise
        if process.returncode:
            raise failure(output)
        return output

    def _sources(self, *, security: bool) -> str:
        suites = self.suite if self.suite in {"sid", "unstable"} else f"{self.suite} {self.suite}-updates"
        paragraphs = [(self.mirror.uri, suites)]
        if security and self.mirror.security_uri and self.suite not in {"sid", "unstable"}:
            paragraphs.append((self.mirror.security_uri, f"{self.suite}-security"))
        return "\n".join(
            f"Types: deb\nURIs: {uri}\nSuites: {names}\nComponents: main\nSigned-By: {self.mirror.signed_by}\n"
            for uri, names in paragraphs
        )


def failure(output: str) -> PackageError:
    """Return the exception that says what apt's `output` means."""
    said = " ".join(line for line in output.splitlines() if line[:2] in {"E:", "W:"}) or output.strip()[-500:]
    cause = {"said": said}
    if FULL.search(output):
        return DiskFull(_("The disk is full: make room in the cache folder and try again. ({said})").format(**cause))
    if SIGNATURE.search(output):
        return SignatureInvalid(
            _(
                "What the mirror delivers is not signed by the distribution; nothing of it is used. "
                "Is the package debian-archive-keyring up to date? ({said})"
            ).format(**cause)
        )
    return DownloadFailed(
        _("The packages could not be fetched: look at the network and the mirror, then try again. ({said})").format(
            **cause
        )
    )


def _dump() -> str:
    try:
        done = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        raise EngineNotFound(
            _("The engine's packages come through apt-get, and this machine has none: use Debian or a relative.")
        ) from error
    return done.stdout


def _network_settings(dump: str) -> str:
    kept = [line for line in dump.splitlines() if line.startswith("Acquire::") and not NOT_KEPT.match(line)]
    return "".join(f"{line}\n" for line in kept)


def _methods(dump: str) -> str:
    found = re.search(r'^Dir::Bin::methods "(.+)";', dump, re.MULTILINE)
    return found[1] if found else "/usr/lib/apt/methods"
