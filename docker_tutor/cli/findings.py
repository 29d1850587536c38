"""What `doctor` says about each capability: what was found, and what to do when it is missing."""

from dataclasses import dataclass

from docker_tutor.engines.base import Capabilities
from docker_tutor.i18n import _
from docker_tutor.units import human_bytes

__all__ = ["Finding", "judge"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One row: what was looked at, what was found, and what to do about it (empty when nothing is missing)."""

    what: str
    found: str
    advice: str = ""


def judge(capabilities: Capabilities) -> list[Finding]:
    """Turn an engine's capabilities into rows for a person."""
    return [*_engine(capabilities), *_limits(capabilities), *_programs(capabilities), *_sight(capabilities)]


def _engine(found: Capabilities) -> list[Finding]:
    return [
        Finding(_("Docker Engine"), f"{found.engine_version} (API {found.api_version})"),
        Finding(_("Image store"), f"{found.image_store} ({found.storage_driver})"),
        Finding(_("Runtimes"), ", ".join(found.runtimes)),
        Finding(_("CPUs and memory"), f"{found.cpus}, {human_bytes(found.memory_bytes)}"),
        _yes_or(
            _("Disposable"),
            _(
                "The engine is shared with your own work: only the course's own objects are touched. "
                "For what restarts a daemon: ./course start --engine private"
            ),
            found=found.disposable,
        ),
    ]


def _limits(found: Capabilities) -> list[Finding]:
    return [
        Finding(_("Control groups"), f"v{found.cgroup_version} ({found.cgroup_driver})"),
        _yes_or(
            _("Limit on swap"),
            _("The kernel does not account swap: --memory-swap is without effect. On Debian: boot with swapaccount=1."),
            found=found.swap_limit,
        ),
    ]


def _programs(found: Capabilities) -> list[Finding]:
    return [
        Finding("buildx", found.buildx or _("missing"), "" if found.buildx else _("Install docker-buildx-plugin.")),
        Finding("compose", found.compose or _("missing"), "" if found.compose else _("Install docker-compose-plugin.")),
        _yes_or("swarm", _("This engine does not form a swarm; sections that need one say so."), found=found.swarm),
        _yes_or(
            "IPVS",
            _("The kernel lacks the ip_vs module (modprobe ip_vs); services use DNS round-robin instead."),
            found=found.ipvs,
        ),
        _yes_or(
            _("Build cache in a folder"),
            _("The classic image store cannot write --cache-to type=local; the containerd store can."),
            found=found.cache_export_local,
        ),
    ]


def _sight(found: Capabilities) -> list[Finding]:
    elsewhere = _("The engine runs elsewhere (a virtual machine, another host): these are read inside a container.")
    return [
        _yes_or(_("Processes seen from here"), elsewhere, found=found.host_processes),
        _yes_or(_("Control groups seen from here"), elsewhere, found=found.host_cgroups),
        _yes_or(_("Layers seen from here"), elsewhere, found=found.host_layers),
    ]


def _yes_or(what: str, advice: str, *, found: bool) -> Finding:
    return Finding(what, _("yes"), "") if found else Finding(what, _("no"), advice)
