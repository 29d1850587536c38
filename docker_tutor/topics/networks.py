"""Networks: one container's way to another, to the machine and to the world.

Each subject has its module; this is their common face.
"""

from docker_tutor.topics.networks_aliases import aliases
from docker_tutor.topics.networks_bridge import free_range
from docker_tutor.topics.networks_drivers import drivers
from docker_tutor.topics.networks_interfaces import read_new, read_running
from docker_tutor.topics.networks_names import ask_dns, names
from docker_tutor.topics.networks_nat import publish, rules
from docker_tutor.topics.networks_ports import conflict
from docker_tutor.topics.networks_speed import speed
from docker_tutor.topics.networks_topology import topology

__all__ = [
    "aliases",
    "ask_dns",
    "conflict",
    "drivers",
    "free_range",
    "names",
    "publish",
    "read_new",
    "read_running",
    "rules",
    "speed",
    "topology",
]
