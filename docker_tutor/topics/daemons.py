"""What becomes of a container when its daemon ends: killed or asked to, with live-restore and without.

On spare engines, since the learner's own is not to be killed. Sources: dockerd's `live-restore`; `man 7 signal`.
"""

import signal
from dataclasses import dataclass

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.classroom.spare import SpareRoom
from docker_tutor.i18n import _
from docker_tutor.processes import Process
from docker_tutor.progress import Report, silent
from docker_tutor.topics import probes, processes

__all__ = ["Ending", "Endings", "end_daemons"]

IMAGE = "alpine:3.19"
PROGRAM = ("sh", "-c", 'trap "exit 0" TERM; sleep 3600 & wait')
"""Ends when it is asked to, as a program of good manners does."""


@dataclass(frozen=True, slots=True)
class Ending:
    """One daemon that ended and was started again, and one container of it. PIDs are the machine's."""

    signal: str
    """`SIGKILL` or `SIGTERM`."""
    live_restore: bool
    daemon_pids: tuple[int, int]
    """dockerd before and after."""
    shim_pids: tuple[int, int | None]
    """The container's shim before and after; None when there is none any more."""
    container_pids: tuple[int, int | None]
    alive_without_daemon: bool
    """Whether the same process ran while there was no dockerd."""
    status: str
    """What the new daemon says of the container: `running` or `exited`."""

    @property
    def unchanged(self) -> bool:
        """Whether container and shim are the same processes as before."""
        return len(set(self.shim_pids)) == len(set(self.container_pids)) == 1

    @property
    def name(self) -> str:
        """Return how the daemon ended, in words."""
        return self.signal + (_(" with live-restore") if self.live_restore else "")


@dataclass(frozen=True, slots=True)
class Endings:
    """Both signals, with live-restore and without."""

    endings: tuple[Ending, ...]

    def of(self, signal_name: str, *, live_restore: bool) -> Ending:
        """Return what came of one way to end."""
        return next(e for e in self.endings if (e.signal, e.live_restore) == (signal_name, live_restore))

    def to_frame(self) -> pd.DataFrame:
        """Return one line per way to end; `before → after` for the PIDs."""

        def arrow(pids: tuple[int, int | None]) -> str:
            return f"{pids[0]} → {pids[1] or '–'}"

        rows = [
            (
                e.name,
                arrow(e.daemon_pids),
                _("yes") if e.alive_without_daemon else _("no"),
                arrow(e.shim_pids),
                arrow(e.container_pids),
                e.status,
            )
            for e in self.endings
        ]
        columns = ["dockerd ended by", "dockerd", "ran without it", "shim", "container", "afterwards"]
        return pd.DataFrame(rows, columns=columns)


def end_daemons(room: Room, report: Report = silent) -> Endings:
    """End dockerd by SIGKILL and by SIGTERM, with live-restore and without; follow a container's processes through it.

    Raises CapabilityMissing where there can be no spare engine.
    """
    endings = []
    for live_restore in (True, False):
        settings = {"live-restore": live_restore}
        with room.spare("end", images=[IMAGE], settings=settings, report=report) as other:
            endings += [_end(other, number, live_restore) for number in (signal.SIGKILL, signal.SIGTERM)]
    return Endings(tuple(endings))


def _end(room: SpareRoom, number: signal.Signals, live_restore: bool) -> Ending:  # noqa: FBT001 - called in one place
    name = f"under-{number.name.lower()}"
    room.cli("run", "-d", "--name", name, "--network", "none", IMAGE, *PROGRAM)
    daemon = room.engine.daemon_pid
    container = Process.of(probes.pid_outside(room, name))
    shim = processes.chain(room, name).role("shim").pid
    room.engine.kill_daemon(number)
    alive = container is not None and container.alive
    room.engine.start_daemon()
    state = room.api.inspect_container(name)["State"]
    after = processes.chain(room, name) if state["Running"] else None
    return Ending(
        number.name,
        live_restore,
        (daemon, room.engine.daemon_pid),
        (shim, after.role("shim").pid if after else None),
        (container.pid if container else 0, after.role("container").pid if after else None),
        alive,
        str(state["Status"]),
    )
