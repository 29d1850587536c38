"""Pictures of results: each function takes what a topic returned and gives a `Picture`. None talks to a daemon.

Each picture's module is imported when it is first asked for, because matplotlib takes its time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docker_tutor.plots.anatomy import two_stacks
    from docker_tutor.plots.archaeology import secret_archaeology
    from docker_tutor.plots.bases import base_images
    from docker_tutor.plots.builds import build_comparison, build_gantt
    from docker_tutor.plots.cache import cache_grid, cache_oracle
    from docker_tutor.plots.cgroups import memory_until_killed, pids_until_refused, shares_split
    from docker_tutor.plots.cgroups_cpu import cpu_under_quota
    from docker_tutor.plots.compose import compose_effects, compose_timeline
    from docker_tutor.plots.conversation import sequence
    from docker_tutor.plots.costs import machine_costs
    from docker_tutor.plots.course_map import course_map
    from docker_tutor.plots.journey import packet_journey
    from docker_tutor.plots.layers import layer_bytes, layer_stack
    from docker_tutor.plots.life import life_of_a_run
    from docker_tutor.plots.lifecycle import health_timeline, stop_times
    from docker_tutor.plots.namespaces import namespace_matrix
    from docker_tutor.plots.networks import alias_answers, name_resolution, network_speed, reachability
    from docker_tutor.plots.overlay import copy_up, overlay_view
    from docker_tutor.plots.packing import split_and_combined
    from docker_tutor.plots.picture import Picture
    from docker_tutor.plots.processes import process_chain
    from docker_tutor.plots.runtimes import runtime_comparison
    from docker_tutor.plots.stages import stage_graph, stage_sizes
    from docker_tutor.plots.stats import stats_over_time
    from docker_tutor.plots.swarm import service_failover, vxlan_packet
    from docker_tutor.plots.topology import network_topology
    from docker_tutor.plots.volumes import volume_survival, volume_write_speed

_MODULE_OF = {
    "Picture": "picture",
    "alias_answers": "networks",
    "base_images": "bases",
    "build_comparison": "builds",
    "build_gantt": "builds",
    "cache_grid": "cache",
    "cache_oracle": "cache",
    "compose_effects": "compose",
    "compose_timeline": "compose",
    "copy_up": "overlay",
    "course_map": "course_map",
    "cpu_under_quota": "cgroups_cpu",
    "health_timeline": "lifecycle",
    "layer_bytes": "layers",
    "layer_stack": "layers",
    "life_of_a_run": "life",
    "machine_costs": "costs",
    "memory_until_killed": "cgroups",
    "name_resolution": "networks",
    "namespace_matrix": "namespaces",
    "network_speed": "networks",
    "network_topology": "topology",
    "overlay_view": "overlay",
    "packet_journey": "journey",
    "pids_until_refused": "cgroups",
    "process_chain": "processes",
    "reachability": "networks",
    "runtime_comparison": "runtimes",
    "secret_archaeology": "archaeology",
    "sequence": "conversation",
    "service_failover": "swarm",
    "shares_split": "cgroups",
    "split_and_combined": "packing",
    "stage_graph": "stages",
    "stage_sizes": "stages",
    "stats_over_time": "stats",
    "stop_times": "lifecycle",
    "two_stacks": "anatomy",
    "volume_survival": "volumes",
    "volume_write_speed": "volumes",
    "vxlan_packet": "swarm",
}

__all__ = [
    "Picture",
    "alias_answers",
    "base_images",
    "build_comparison",
    "build_gantt",
    "cache_grid",
    "cache_oracle",
    "compose_effects",
    "compose_timeline",
    "copy_up",
    "course_map",
    "cpu_under_quota",
    "health_timeline",
    "layer_bytes",
    "layer_stack",
    "life_of_a_run",
    "machine_costs",
    "memory_until_killed",
    "name_resolution",
    "namespace_matrix",
    "network_speed",
    "network_topology",
    "overlay_view",
    "packet_journey",
    "pids_until_refused",
    "process_chain",
    "reachability",
    "runtime_comparison",
    "secret_archaeology",
    "sequence",
    "service_failover",
    "shares_split",
    "split_and_combined",
    "stage_graph",
    "stage_sizes",
    "stats_over_time",
    "stop_times",
    "two_stacks",
    "volume_survival",
    "volume_write_speed",
    "vxlan_packet",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_MODULE_OF)
