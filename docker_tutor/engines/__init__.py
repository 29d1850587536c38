"""Where a daemon comes from: one that exists, or a private one of the course's own.

::

    engine = engines.resolve()        # DOCKER_TUTOR_ENGINE, else the first that can be had
    engine.up()                       # returns when the daemon answers
    engine.address                    # unix:///…/docker.sock, for the gateway
    engine.capabilities().cgroup_version
    engine.down(purge=True)
"""

from docker_tutor.engines.base import Capabilities, Engine, EngineStatus, ForwardedPort, Tools
from docker_tutor.engines.resolver import kinds, resolve

__all__ = ["Capabilities", "Engine", "EngineStatus", "ForwardedPort", "Tools", "kinds", "resolve"]
