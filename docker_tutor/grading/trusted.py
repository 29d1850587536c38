"""The trusted mode: seats on a private engine of their own, with time limits. It does not isolate.

Student code runs as a process of the user who grades. Namespaces and limits keep an accident small (a fork bomb, a cell
that never ends, a file that grows); whoever means harm has the rights of that user, and through the daemon those of
root. For submissions of people one does not know there has to be another place.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import docker
from docker.errors import DockerException
from requests.exceptions import RequestException

from docker_tutor import engines
from docker_tutor.classroom.environment import Environment, for_commands, write_cli_config
from docker_tutor.engines.spare import SpareEngine, spare
from docker_tutor.errors import EngineError, SeatFailed
from docker_tutor.grading.cellseat import BRINGS_WITHIN_S, SEAT_VARIABLE, CellSeat, bring, empty
from docker_tutor.grading.kernel import Kernel
from docker_tutor.grading.site import PROBE, Site
from docker_tutor.grading.tickets import SECRET_VARIABLE, TICKET_FILE, Ticket
from docker_tutor.i18n import _
from docker_tutor.progress import Report, silent

__all__ = ["TrustedPlace", "TrustedSeat"]

_UNTOLD = (SECRET_VARIABLE, "DOCKER_TUTOR_UPSTREAM")


class TrustedPlace:
    """Seats on one spare engine, which is emptied between them and replaced when a student has broken it."""

    isolates = False

    def __init__(self, report: Report = silent) -> None:
        """Start nothing yet."""
        self.isolation = _(
            "Trusted mode: submissions run as your own user on a private engine. This does not isolate: grade only "
            "what comes from people you trust."
        )
        self._report = report
        self._engine: SpareEngine | None = None
        self._context: AbstractContextManager[SpareEngine] | None = None
        self._kept: dict[str, str] = {}

    @contextmanager
    def seat(self, ticket: Ticket, images: Sequence[str], files: Path | None = None) -> Iterator["TrustedSeat"]:
        """Give a fresh seat. Raises SeatFailed, EngineError, PackageError, ImageError."""
        engine = self._ready([PROBE, *images])
        folder = Path(tempfile.mkdtemp(prefix="docker-tutor-seat-"))
        seat = TrustedSeat(engine, ticket, folder, files, self._kept)
        try:
            yield seat
        finally:
            seat.close()
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Take the engine down with all that is on it. May be called again."""
        context, self._context, self._engine = self._context, None, None
        self._kept = {}
        if context is not None:
            context.__exit__(None, None, None)

    def _ready(self, images: Sequence[str]) -> SpareEngine:
        """Return an engine with `images` and nothing else on it."""
        if self._engine is not None:
            try:
                self._empty(self._engine)
            except (DockerException, RequestException, EngineError):
                self.close()  # a student has broken it: the next one gets a new one
        if self._engine is None:
            self._context = spare("seat", report=self._report)
            self._engine = self._context.__enter__()
        client = _client(self._engine, BRINGS_WITHIN_S)
        try:
            missing = [name for name in dict.fromkeys(images) if name not in self._kept]
            self._bring(client, missing)
        finally:
            client.close()
        return self._engine

    def _empty(self, engine: SpareEngine) -> None:
        client = _client(engine)
        try:
            empty(client, self._kept)
            client.api.prune_builds(all=True)  # nobody builds on what another has built
        finally:
            client.close()

    def _bring(self, client: docker.DockerClient, images: Sequence[str]) -> None:
        """Have `images`, from the instance's own engine where it runs: it keeps them for the next time."""
        if not images:
            return
        bring(client, images, self._report, engines.resolve("private"))
        for name in images:
            self._kept[name] = str(client.api.inspect_image(name)["Id"])


class TrustedSeat(CellSeat):
    """One submission's seat: a kernel in a folder, on the place's engine."""

    def __init__(
        self, engine: SpareEngine, ticket: Ticket, folder: Path, files: Path | None, kept: dict[str, str]
    ) -> None:
        """Copy `files` into `folder` and set the environment; the kernel starts with the first cell."""
        super().__init__(folder / "work", _client(engine), kept)
        if files is None:
            self.folder.mkdir()
        else:
            shutil.copytree(files, self.folder, symlinks=True)
        (self.folder / TICKET_FILE).unlink(missing_ok=True)
        (self.folder / TICKET_FILE).write_text(f"{ticket}\n", encoding="ascii")
        config = write_cli_config(folder / "cli", engine.tools)
        # What programs leave there goes with the seat: `docker build -` leaves two empty folders each time.
        temporary = folder / "tmp"
        temporary.mkdir(mode=0o700)
        own = {SEAT_VARIABLE: "trusted", "TMPDIR": str(temporary)}
        variables = for_commands(engine.address, engine, config) | own | dict.fromkeys(_UNTOLD)
        self._environment = Environment(variables, self.folder).merged()

    def site(self, hidden: str = "") -> Site:
        """Return where checks look."""
        return Site(self._client, self.folder, self._environment, probe=self._kept[PROBE], hidden=hidden)

    def _started(self) -> Kernel:
        return Kernel(self.folder, self._environment, self.folder.parent)


def _client(engine: SpareEngine, timeout_s: int = 30) -> docker.DockerClient:
    if not Path(engine.address.removeprefix("unix://")).exists() or os.geteuid() != 0:
        raise SeatFailed(_("The engine for submissions does not answer."))
    return docker.DockerClient(base_url=engine.address, timeout=timeout_s)
