"""A gateway as seen from the notebook's kernel: started, asked, closed."""

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Self

from docker_tutor.errors import GatewayError
from docker_tutor.gateway import live
from docker_tutor.gateway.records import Call, Ledger, read_calls, read_ledger
from docker_tutor.gateway.removal import Cleaned, Leftover
from docker_tutor.gateway.server import SOCKET_FILE
from docker_tutor.i18n import _

__all__ = ["EXTENSION_VARIABLE", "Gateway"]

EXTENSION_VARIABLE = "DOCKER_TUTOR_GATEWAY_EXTENSION"
LOG_FILE = "gateway.log"
_START_S = 30.0
_SETTLE_S = 10.0
_SOCKET_PATH_BYTES = 107  # man 7 unix


class Gateway:
    """One scope's door to the daemon: a process of its own that goes, with all that the scope made, when we go."""

    def __init__(self, process: "subprocess.Popen[bytes]", scope: str, folder: Path) -> None:
        self._process = process
        self._lock = threading.Lock()
        self._cleaned: Cleaned | None = None
        self.scope = scope
        self.folder = folder

    @classmethod
    def start(
        cls,
        upstream: str,
        scope: str,
        folder: Path,
        extension: str | None = None,
        *,
        disposable: bool = True,
    ) -> "Gateway":
        """Start a gateway to `upstream` for `scope`; returns when its socket answers (0.2 s).

        `folder` gets the socket, the records and the log. `extension` is `module:callable` and defaults to
        `DOCKER_TUTOR_GATEWAY_EXTENSION`. With `disposable=False` the engine belongs to others as well, and what is
        theirs is protected. Raises GatewayError.
        """
        folder = folder.absolute()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if len(os.fsencode(folder / SOCKET_FILE)) > _SOCKET_PATH_BYTES:
            raise GatewayError(
                _("The folder {folder} is too deep for a socket: choose a shorter one").format(folder=folder)
            )
        extension = extension or os.environ.get(EXTENSION_VARIABLE)
        command = [sys.executable, "-P", "-m", "docker_tutor.gateway", "--upstream", upstream, "--scope", scope]
        command += ["--folder", str(folder), "--owner", live.owner(), "--parent", str(os.getpid())]
        command += ["--live", str(live.live_folder() / f"{scope}.json")]
        command += ["--extension", extension] if extension else []
        command += [] if disposable else ["--shared"]
        with (folder / LOG_FILE).open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,  # an answer must not wait in a buffer where `select` does not see it
                cwd="/",  # it outlives the folder in which it was started
                env=_environment(with_our_path=bool(extension)),
                start_new_session=True,  # a restart kills the kernel's whole process group; this one tidies up after it
            )
        gateway = cls(process, scope, folder)
        answer = gateway._hear(_START_S, "ready", "error")
        if "ready" not in answer:
            if not answer:
                process.kill()
            gateway._let_go()
            raise GatewayError(
                _("The gateway did not start: {reason}").format(reason=answer.get("error") or gateway._last_words())
            )
        return gateway

    @property
    def address(self) -> str:
        """What `DOCKER_HOST` has to say for whatever belongs to this scope."""
        return f"unix://{self.folder / SOCKET_FILE}"

    @property
    def pid(self) -> int:
        """The gateway's process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the gateway still runs."""
        return self._process.poll() is None

    def calls(self) -> list[Call]:
        """Return what went through, in the order in which it was started; calls still under way are not in it."""
        if self.alive and self._cleaned is None:
            self._ask("settle", "settled", _SETTLE_S)
        return read_calls(self.folder)

    def ledger(self) -> Ledger:
        """Return what the scope made that carries no label."""
        return read_ledger(self.folder)

    def close(self, within_s: float = 120) -> Cleaned:
        """Remove everything that the scope made, stop, and say what was done. Safe to call again.

        Raises GatewayError when the gateway cannot do it, or not in time; `cleanup.remove_dead` then can, later.
        """
        if self._cleaned is not None:
            return self._cleaned
        answer = self._ask("close", "cleaned", within_s)
        if not answer and self.alive:
            self._process.kill()
        self._let_go()
        if "cleaned" not in answer:
            raise GatewayError(_("The gateway could not tidy up: {reason}").format(reason=self._last_words()))
        self._cleaned = cleaned_from(answer["cleaned"])
        return self._cleaned

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _ask(self, what: str, answer: str, within_s: float) -> dict[str, Any]:
        with self._lock:
            if self._process.stdin is not None:
                try:
                    self._process.stdin.write(json.dumps({"do": what}).encode() + b"\n")
                except (BrokenPipeError, ValueError):
                    return {}  # it is gone; whoever asked finds no answer
            return self._hear(within_s, answer)

    def _hear(self, within_s: float, *keys: str) -> dict[str, Any]:
        """Return the next answer that has one of `keys`; an empty one at the end of the time or of the gateway."""
        until = time.monotonic() + within_s
        stream = self._process.stdout
        while stream is not None and select.select([stream], [], [], max(0.0, until - time.monotonic()))[0]:
            line = stream.readline()
            answer = json.loads(line) if line else {}
            if not line or not answer.keys().isdisjoint(keys):
                return dict(answer)
        return {}

    def _let_go(self) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):  # what it was told last did not reach it
                    stream.close()
        self._process.wait()

    def _last_words(self) -> str:
        log = (self.folder / LOG_FILE).read_text(errors="replace").strip()
        return log.splitlines()[-1] if log else _("it ended without a word")


def cleaned_from(entry: dict[str, Any]) -> Cleaned:
    """Make a report out of its JSON form."""
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    values["leftovers"] = tuple(Leftover(**left) for left in entry["leftovers"])
    return Cleaned(**values)


def _environment(*, with_our_path: bool) -> dict[str, str]:
    # `-P` keeps a learner's own `queue.py` in the working directory from being taken for Python's; an extension,
    # though, may live wherever we could import it from.
    package = str(Path(__file__).resolve().parents[2])
    path = [package, *(entry or str(Path.cwd()) for entry in sys.path if with_our_path)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(path))}
