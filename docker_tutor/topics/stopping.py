"""How a container ends when it is asked to: who is PID 1, and whether the signal reaches the program.

Sources: Dockerfile reference, "Shell form and exec form"; `man 7 signal`; `man 7 pid_namespaces`.
"""

import time
from dataclasses import dataclass

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.topics import builds
from docker_tutor.topics.places import shell

__all__ = ["FORMS", "Stop", "Stops", "stop_forms"]

PROGRAM = """\
import signal, sys
def leave(number, frame):
    print("asked to leave, leaving", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("ready", flush=True)
signal.pause()
"""
FORMS = {
    "exec form": 'ENTRYPOINT ["python", "/app.py"]',
    "shell form": "ENTRYPOINT python /app.py",
    "shell form with exec": "ENTRYPOINT exec python /app.py",
}
"""Three ways to write the same last line of a Dockerfile."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One container, stopped politely."""

    form: str
    line: str
    first_process: str
    """The command of PID 1 inside the container."""
    seconds: float
    """From `docker stop` to the end of the container."""
    exit_code: int
    said_goodbye: bool
    """Whether the program's own handler ran."""


@dataclass(frozen=True, slots=True)
class Stops:
    """The same program behind different last lines of its Dockerfile."""

    grace_s: int
    """How long the engine waits after SIGTERM before it sends SIGKILL."""
    stops: tuple[Stop, ...]

    def form(self, form: str) -> Stop:
        """Return what happened with one form."""
        return next(stop for stop in self.stops if stop.form == form)

    def to_frame(self) -> pd.DataFrame:
        """Return one line per form."""
        return pd.DataFrame(
            [(s.form, s.first_process, s.seconds, s.exit_code, s.said_goodbye) for s in self.stops],
            columns=["form", "PID 1", "stop_s", "exit code", "handler ran"],
        )


def stop_forms(room: Room, grace_s: int = 10, base: str = "python:3.11-slim") -> Stops:
    """Build one image per form, start it, and stop it with a grace period of `grace_s` seconds."""
    stops = []
    folder = builds.write_context(room.folder / "stopping", {"app.py": PROGRAM})
    for number, (form, line) in enumerate(FORMS.items(), start=1):
        tag = f"{room.unique('stopping')}:{number}"
        dockerfile = f"FROM {base}\nCOPY app.py /app.py\n{line}\n"
        builds.build(room, folder, tag=tag, dockerfile=dockerfile)
        stops.append(_stop(room, tag, form, line, grace_s))
        room.cli("rmi", "-f", tag)
    return Stops(grace_s, tuple(stops))


def _stop(room: Room, tag: str, form: str, line: str, grace_s: int) -> Stop:
    container = room.client.containers.run(tag, name=room.unique("stopping"), detach=True, network_mode="none")
    try:
        room.wait.log(container, "ready", within_s=30)
        first = shell(container, "tr '\\0' ' ' < /proc/1/cmdline")
        began = time.perf_counter()
        container.stop(timeout=grace_s)
        seconds = time.perf_counter() - began
        code = container.wait()["StatusCode"]
        goodbye = "leaving" in container.logs().decode()
        return Stop(form, line, first, seconds, code, goodbye)
    finally:
        container.remove(force=True)
