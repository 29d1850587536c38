"""Two programs, one port: how a conflict shows on the host's network and on a published port."""

from dataclasses import dataclass

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _
from docker_tutor.topics import probes

__all__ = ["Conflict", "conflict"]

_BIND = """
import socket, sys, time
server = socket.create_server(("", int(sys.argv[1])))
print("bound", server.getsockname()[1], flush=True)
time.sleep(3600)
"""


@dataclass(frozen=True, slots=True)
class Conflict:
    """The same port asked for twice, on the host's network and by publishing."""

    host_exit_code: int
    """Exit code of the second container on the host's network: its own program fails."""
    host_log: str
    """The last line that it wrote."""
    publish_refused: bool
    """Whether the engine refused to start the second container that publishes the port."""
    publish_message: str
    """What the engine said."""
    ignored_warning: str
    """What the engine says to `-p` together with `--network host`."""
    ignored_ports: int
    """How many ports such a container has published."""

    def to_frame(self) -> pd.DataFrame:
        """Return the three cases: what was tried, and what was said by whom."""
        rows = [
            (_("two on the host's network"), _("the second program"), self.host_log),
            (_("two publish one port"), _("the engine"), self.publish_message),
            (_("-p on the host's network"), _("the engine"), self.ignored_warning),
        ]
        return pd.DataFrame(rows, columns=[_("tried"), _("who says so"), _("what is said")])


def conflict(room: Room) -> Conflict:
    """Ask twice for one port in both ways, and publish a port on the host's network.

    Source: `man 2 bind` (EADDRINUSE). Raises CommandFailed when something else fails.
    """
    bind = ("python", "-c", _BIND)
    with probes.running(room, "first-on-host", "--network=host", command=(*bind, "0")) as first:
        port = room.wait.log(room.client.containers.get(first), "bound", within_s=30).split()[-1]
        with probes.running(room, "second-on-host", "--network=host", command=(*bind, port)) as name:
            second = room.client.containers.get(name)
            code = room.wait.exit(second, within_s=30)
            lines = second.logs().decode().strip().splitlines() or [""]
    with probes.running(room, "first-published", "--publish=80", command=(*bind, "80")) as first:
        bindings = room.api.inspect_container(first)["NetworkSettings"]["Ports"]["80/tcp"] or [{"HostPort": "8000"}]
        port = bindings[0]["HostPort"]
        options = ("--rm", "--name", room.unique("second-published"), f"--publish={port}:80")
        refused = room.cli("run", *options, probes.IMAGE, "true", check=False)
    name = room.unique("published-on-host")
    ignored = room.cli("run", "-d", "--name", name, "--network=host", "--publish=80", probes.IMAGE, "sleep", "3600")
    try:
        ports = room.api.inspect_container(name)["NetworkSettings"]["Ports"]
    finally:
        room.cli("rm", "-f", "-v", name)
    said = refused.stderr.strip().splitlines()
    message = next((line for line in said if "port" in line), said[0] if said else "")
    return Conflict(code, lines[-1], refused.returncode != 0, message, ignored.stderr.strip(), len(ports or {}))
