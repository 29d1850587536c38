"""Where a check looks: the daemon through its API, the command line beside the student's files, and small probes.

A site is the same thing in a student's notebook, in nbgrader's, and in the grader: only the daemon's address and the
folder differ. What checks run themselves, they run in a *probe*: a container of an image whose id was taken before the
student's code ran, so that an image of the same name does not answer in its place.
"""

import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from docker import DockerClient
from docker.errors import NotFound

from docker_tutor.classroom import commands
from docker_tutor.errors import SeatFailed, WaitTimedOut
from docker_tutor.grading.studentfiles import StudentFiles
from docker_tutor.i18n import _

__all__ = ["PROBE", "Box", "Said", "Site"]

PROBE = "alpine:3.19"
_POLL_S = 0.1
_LASTS_S = 1
_PREPARED_WITHIN_S = 300
_LATE = 124
"""How `timeout` ends (`man 1 timeout`)."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a program wrote, and how it ended."""

    code: int
    text: str

    @property
    def ok(self) -> bool:
        """Whether it ended without an error."""
        return self.code == 0


@dataclass(frozen=True, slots=True)
class Box:
    """A container, or the lack of one."""

    name: str
    attrs: Mapping[str, Any]
    """What `docker inspect` tells; empty when there is no such container."""

    @property
    def there(self) -> bool:
        """Whether there is such a container."""
        return bool(self.attrs)

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.attrs["Id"])

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self.there and self.attrs["State"]["Status"] == "running"

    @property
    def state(self) -> str:
        """Its state in a few words, for a finding."""
        if not self.there:
            return f"no container {self.name}"
        state = self.attrs["State"]
        if state["Status"] == "exited":
            killed = ", OOM-killed" if state.get("OOMKilled") else ""
            return f"{self.name}: exited with {state['ExitCode']}{killed}"
        return f"{self.name}: {state['Status']}"

    @property
    def host(self) -> Mapping[str, Any]:
        """Its HostConfig."""
        found: Mapping[str, Any] = self.attrs["HostConfig"]
        return found

    @property
    def config(self) -> Mapping[str, Any]:
        """Its Config."""
        found: Mapping[str, Any] = self.attrs["Config"]
        return found

    @property
    def networks(self) -> Mapping[str, Any]:
        """The networks that it is in, by name."""
        found: Mapping[str, Any] = self.attrs["NetworkSettings"]["Networks"]
        return found


class Site:
    """What a check may use. `hidden` is a key that only a grader has, empty elsewhere."""

    def __init__(
        self,
        client: DockerClient,
        folder: Path,
        environment: Mapping[str, str],
        *,
        probe: str = PROBE,
        hidden: str = "",
        before: Sequence[str] = (),
        owner: int | None = None,
        patience: float = 1,
    ) -> None:
        """Look through `client` and with `docker` as `environment` finds it; the student's files are in `folder`.

        `before` are the words that start a command apart from this machine; `owner` is the user whose the files are;
        by `patience` every limit of time is multiplied, where the daemon is slow.
        """
        self.client = client
        self.folder = folder
        self.environment = dict(environment)
        self.probe_image = probe
        self.hidden = hidden
        self._before = tuple(before)
        self._patience = patience
        self._files = StudentFiles(folder, owner)

    def box(self, name: str) -> Box:
        """Look at a container by its name."""
        try:
            attrs: Mapping[str, Any] = self.client.api.inspect_container(name)
        except NotFound:
            return Box(name, {})
        # A prefix of an id is found too; only the name counts.
        return Box(name, attrs if attrs["Name"].lstrip("/") == name else {})

    def settled(self, name: str, ready: Callable[[Box], bool], within_s: float = 10) -> Box:
        """Look again until the container is `ready`, at most `within_s` seconds; return the last look."""
        deadline, never = time.monotonic() + within_s * self._patience, threading.Event()
        box = self.box(name)
        while not ready(box) and time.monotonic() < deadline:
            never.wait(_POLL_S)  # polling: what is awaited need not be an event of the engine's
            box = self.box(name)
        return box

    def lasting(self, name: str) -> Box:
        """Look whether a container runs, once it has had a second: one whose program ends at once runs for a moment."""
        box = self.settled(name, lambda box: box.running, within_s=2)
        if not box.running:
            return box
        age_s = time.time() - datetime.fromisoformat(box.attrs["State"]["StartedAt"]).timestamp()
        return self.settled(name, lambda box: not box.running, within_s=_LASTS_S - max(age_s, 0))

    def image(self, name: str) -> Mapping[str, Any]:
        """Return what `docker image inspect` tells; empty when there is no such image."""
        try:
            found: Mapping[str, Any] = self.client.api.inspect_image(name)
        except NotFound:
            return {}
        return found

    def network(self, name: str) -> Mapping[str, Any]:
        """Return what `docker network inspect` tells; empty when there is no such network."""
        found = [each for each in self.client.api.networks(names=[name]) if each["Name"] == name]
        return self.client.api.inspect_network(found[0]["Id"]) if found else {}

    def volume(self, name: str) -> Mapping[str, Any]:
        """Return what `docker volume inspect` tells; empty when there is no such volume."""
        try:
            found: Mapping[str, Any] = self.client.api.inspect_volume(name)
        except NotFound:
            return {}
        return found

    def docker(self, *words: str, timeout_s: float = 30, stdin: str | None = None) -> Said:
        """Run `docker WORDS…` in the student's folder; one that takes too long has failed."""
        try:
            done = commands.run(
                [*self._before, "docker", *words],
                env=self.environment,
                cwd=self.folder,
                check=False,
                timeout_s=timeout_s * self._patience,
                stdin=stdin,
            )
        except WaitTimedOut as late:
            return Said(_LATE, str(late))
        return Said(done.returncode, _joined(done))

    def prepare(self, *words: str, stdin: str | None = None) -> None:
        """Run `docker WORDS…` for what students start from; some of it fails on purpose.

        Raises SeatFailed when it takes too long: without its beginning a task is nobody's to solve.
        """
        said = self.docker(*words, timeout_s=_PREPARED_WITHIN_S, stdin=stdin)
        if said.code == _LATE:
            raise SeatFailed(_("What a task begins with could not be made: {error}").format(error=said.text))

    def inside(self, box: Box, *words: str, timeout_s: float = 10) -> Said:
        """Run a program in the student's container."""
        return self.docker("exec", box.id, *words, timeout_s=timeout_s)

    def probe(self, *words: str, options: tuple[str, ...] = (), timeout_s: float = 15) -> Said:
        """Run a program in a container of the grader's own image; `options` go to `docker run`."""
        return self.docker("run", "--rm", *options, self.probe_image, *words, timeout_s=timeout_s)

    def ask(self, url: str, network: str, within_s: float = 5) -> Said:
        """Ask `url` from a probe in `network` (also `container:ID` or `host`), again until it answers or time is up."""
        tries = max(1, int(within_s * self._patience * 2))
        script = f"i=0; while ! wget -q -T 2 -O - '{url}'; do i=$((i+1)); [ $i -ge {tries} ] && exit 1; sleep 0.5; done"
        said = self.probe("sh", "-c", script, options=("--network", network), timeout_s=within_s + 20)
        return Said(said.code, said.text.splitlines()[0] if said.ok and said.text else said.text[-200:])

    def write(self, path: str, text: str) -> None:
        """Write a file into the student's folder. Raises OSError where a link leads out of it."""
        self._files.write(path, text)

    def read(self, path: str) -> str | None:
        """Return a file of the student's folder, followed through no link; None when there is none."""
        return self._files.read(path)


def _joined(done: "subprocess.CompletedProcess[str]") -> str:
    return (done.stdout.strip() or done.stderr.strip()) if done.returncode else done.stdout.strip()
