"""What was found of each claim of a task, and the points that it is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from docker_tutor.i18n import _

__all__ = ["Claim", "Finding", "Found", "Outcome", "points"]

_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that a right answer has brought about."""

    key: str
    words: str
    points: float = 1
    hidden: bool = False
    """Looked at when it is graded, not before; its failure tells what was found, never what was asked."""
    given: bool = False
    """It holds before anything is done: who only leaves it as it was has earned nothing by it."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a check saw of a claim: all that it says to anyone."""

    key: str
    held: bool
    found: str = ""
    expected: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim together with what was found of it."""

    key: str
    claim: str
    points: float
    held: bool
    found: str
    expected: str
    hidden: bool
    given: bool = False

    @classmethod
    def of(cls, claim: Claim, *, held: bool, found: str, expected: str) -> "Finding":
        """Put what was found beside the claim, cut to a length; what is expected of a hidden one stays hidden."""
        texts = found[:_LONGEST], "" if claim.hidden else expected[:_LONGEST]
        return cls(claim.key, claim.words, claim.points, held, *texts, claim.hidden, claim.given)

    def lines(self) -> list[str]:
        """Return the lines that a student reads."""
        if self.held:
            return [f"✓ {self.claim}"]
        lines = [f"✗ {self.claim}"]
        if self.expected:
            lines.append(f"    {_('expected')}: {self.expected}")
        if self.found:
            lines.append(f"    {_('found')}: {self.found}")
        return lines


@dataclass(frozen=True, slots=True)
class Outcome:
    """A task, looked at."""

    task: str
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, task: str, claims: Sequence[Claim], seen: Mapping[str, Found], *, hidden: bool) -> "Outcome":
        """Put what was `seen` beside the `claims`; the hidden ones only if `hidden`."""
        return cls(task, tuple(_finding(claim, seen.get(claim.key)) for claim in claims if hidden or not claim.hidden))

    @property
    def points(self) -> float:
        """The points that were reached."""
        return points(self.reached(finding) for finding in self.findings)

    def reached(self, finding: Finding) -> float:
        """Return the points of one finding: none for what was given while nothing else holds."""
        begun = any(each.held and not each.given for each in self.findings)
        return finding.points if finding.held and (begun or not finding.given) else 0

    @property
    def max_points(self) -> float:
        """The points that could be reached."""
        return points(finding.points for finding in self.findings)

    @property
    def failed(self) -> tuple[str, ...]:
        """The keys of the claims that do not hold."""
        return tuple(finding.key for finding in self.findings if not finding.held)

    def text(self) -> str:
        """Return what a student reads."""
        return "\n".join(line for finding in self.findings for line in finding.lines())


def points(values: object) -> float:
    """Add points up without a tail of binary fractions."""
    return round(sum(values), 3)  # type: ignore[call-overload, no-any-return]


def _finding(claim: Claim, seen: Found | None) -> Finding:
    if seen is None:
        earlier = _("not looked at: something that it needs is missing")
        seen = Found(claim.key, held=False, found=earlier)
    return Finding.of(claim, held=seen.held, found=seen.found, expected=seen.expected)
