"""What the room's engine can do, said by what the course needs it for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from docker_tutor.classroom import tables
from docker_tutor.classroom.requirements import REQUIREMENTS
from docker_tutor.engines.base import Capabilities
from docker_tutor.i18n import _
from docker_tutor.units import human_bytes

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Abilities", "Ability", "abilities"]


@dataclass(frozen=True, slots=True)
class Ability:
    """One thing an engine may be able to do."""

    what: str
    found: str
    """What was found: a version, a number, or yes and no."""
    needed_for: str
    """The part of the course that needs it."""
    advice: str = ""
    """What is missing and how to get it; empty when nothing is."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """All that was found, in the order of the course."""

    rows: tuple[Ability, ...]

    @property
    def missing(self) -> tuple[Ability, ...]:
        """Return what the engine lacks."""
        return tuple(row for row in self.rows if row.advice)

    def to_frame(self) -> "pd.DataFrame":
        """Return the table: a mark that can be read without colour, what, found, needed for, and what to do."""
        import pandas as pd

        return pd.DataFrame(self._rows(), columns=self._headings())

    def _rows(self) -> list[tuple[str, ...]]:
        return [
            (row.what, f"{'✗' if row.advice else '✓'} {row.found}", row.needed_for, row.advice) for row in self.rows
        ]

    def _headings(self) -> list[str]:
        return [_("what"), _("here"), _("needed for"), _("what to do")]

    def _repr_mimebundle_(self, **_wanted: object) -> dict[str, str]:
        rows, headings = self._rows(), self._headings()
        return {"text/html": tables.page(rows, headings), "text/plain": tables.text(rows, headings)}


def abilities(able: Capabilities) -> Abilities:
    """Lay out an engine's capabilities for a reader."""
    everything = _("everything")
    return Abilities(
        (
            Ability("Docker Engine", able.engine_version.partition("+")[0], everything),
            Ability(_("CPUs and memory"), f"{able.cpus}, {human_bytes(able.memory_bytes)}", everything),
            _one("two_cpus", _("two CPUs"), _("CPU quota above one, 1.3"), able),
            Ability(_("control groups"), _("version {n}").format(n=able.cgroup_version), _("limits, 1.3")),
            _one("swap_limit", _("limit on swap"), _("memory and swap, 1.3"), able),
            _one("host_processes", _("processes seen from here"), _("who is whose parent, 1.2, 1.3, 2.1"), able),
            _one("host_cgroups", _("control groups seen from here"), _("limits read from outside, 1.3"), able),
            _one("disposable", _("may be restarted"), _("a daemon killed and restarted, 2.2"), able),
            Ability(_("runtimes"), _runtimes(able), _("other runtimes, 2.4")),
            _one("buildx", _("BuildKit"), _("builds, chapters 3, 4, 6"), able, able.buildx),
            _one("compose", _("Compose"), _("chapter 5"), able, able.compose),
            Ability(_("image store"), f"{able.image_store} ({able.storage_driver})", _("layers, chapter 6")),
            _one("host_layers", _("layers seen from here"), _("OverlayFS, 6.2"), able),
            _one("cache_export_local", _("build cache in a folder"), _("cache export, 6.4"), able),
            _one("swarm", _("Swarm"), _("networks over hosts, 7.4"), able),
            _one("ipvs", _("IPVS"), _("one address for many replicas, 7.4"), able),
        )
    )


def _one(name: str, what: str, needed_for: str, able: Capabilities, version: str | None = None) -> Ability:
    requirement = REQUIREMENTS[name]
    if requirement.has(able):
        return Ability(what, version or _("yes"), needed_for)
    return Ability(what, _("no"), needed_for, requirement.lacks())


def _runtimes(able: Capabilities) -> str:
    # The shim's name stands in the list beside the runtime that it runs.
    return ", ".join(name for name in able.runtimes if not name.startswith("io.containerd."))
