"""What a demonstration may ask of an engine, and what is said when the engine lacks it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from docker_tutor.engines.base import Capabilities
from docker_tutor.i18n import _

__all__ = ["REQUIREMENTS", "Requirement", "missing"]


@dataclass(frozen=True, slots=True)
class Requirement:
    """Something an engine may be able to do, and the words for its absence."""

    has: Callable[[Capabilities], bool]
    lacks: Callable[[], str]
    """What is missing and how to get it, in one sentence. Called late: the language may change."""


REQUIREMENTS: Mapping[str, Requirement] = {
    "buildx": Requirement(
        lambda able: able.buildx is not None,
        lambda: _("This needs BuildKit's command line, and there is no buildx plugin: install docker-buildx."),
    ),
    "compose": Requirement(
        lambda able: able.compose is not None,
        lambda: _("This needs Compose, and there is no compose plugin: install docker-compose-v2 or docker-compose."),
    ),
    "swarm": Requirement(
        lambda able: able.swarm,
        lambda: _("This needs Swarm, and this engine has none: use the private engine, DOCKER_TUTOR_ENGINE=private."),
    ),
    "ipvs": Requirement(
        lambda able: able.ipvs,
        lambda: _("This needs IPVS, and this kernel has none: load the ip_vs module, or use DNS round-robin."),
    ),
    "swap_limit": Requirement(
        lambda able: able.swap_limit,
        lambda: _("This needs limits on swap, and this kernel keeps no count of swap: boot it with swapaccount=1."),
    ),
    "limits": Requirement(
        lambda able: able.cgroup_driver != "none",
        lambda: _(
            "This needs limits, and this engine sets none: a rootless one can on a machine with version 2 of the "
            "control groups."
        ),
    ),
    "two_cpus": Requirement(
        lambda able: able.cpus >= 2,
        lambda: _("This needs two CPUs, and this engine has one: give its machine a second one."),
    ),
    "cache_export_local": Requirement(
        lambda able: able.cache_export_local,
        lambda: _("This needs a build cache that can be written to a folder: switch on the containerd image store."),
    ),
    "host_processes": Requirement(
        lambda able: able.host_processes,
        lambda: _("This looks at a container's processes from outside, and the engine's machine is not this one."),
    ),
    "host_cgroups": Requirement(
        lambda able: able.host_cgroups,
        lambda: _("This reads control groups from outside, and the engine's are not below this /sys/fs/cgroup."),
    ),
    "host_layers": Requirement(
        lambda able: able.host_layers,
        lambda: _("This looks into the image store's folders, and they cannot be read from here: run it as root."),
    ),
    "disposable": Requirement(
        lambda able: able.disposable,
        lambda: _(
            "This restarts or empties the engine, which is only done to the course's own: DOCKER_TUTOR_ENGINE=private."
        ),
    ),
    "containerd_store": Requirement(
        lambda able: able.image_store == "containerd",
        lambda: _("This needs the containerd image store, and this engine has the classic one."),
    ),
    "graph_store": Requirement(
        lambda able: able.image_store == "graph",
        lambda: _("This needs the classic image store, and this engine has containerd's."),
    ),
    "cgroup_v1": Requirement(
        lambda able: able.cgroup_version == 1,
        lambda: _("This needs version 1 of the control groups, and this kernel has version 2 mounted."),
    ),
    "cgroup_v2": Requirement(
        lambda able: able.cgroup_version == 2,
        lambda: _("This needs version 2 of the control groups, and this kernel has version 1 mounted."),
    ),
}


def missing(able: Capabilities, name: str) -> str | None:
    """Return the sentence to say when `able` lacks capability `name`, None when it has it.

    A name that starts with `runtime:` asks for an OCI runtime. Raises KeyError for a name nobody knows.
    """
    if name.startswith("runtime:"):
        runtime = name.removeprefix("runtime:")
        if runtime in able.runtimes:
            return None
        sentence = _("This needs the runtime {runtime}, and this engine has only {known}.")
        return sentence.format(runtime=runtime, known=", ".join(able.runtimes))
    requirement = REQUIREMENTS.get(name)
    if requirement is None:
        raise KeyError(f"no capability is called {name!r}; there are {', '.join(sorted(REQUIREMENTS))}")
    return None if requirement.has(able) else requirement.lacks()
