"""Waiting for something to happen, with a time limit.

`Wait` subscribes to the engine's events *before* it looks at a container for the first time, so nothing can
happen unseen in between, and looks again at each event. Nothing sleeps: a timer closes the stream when the
time is up.
"""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from docker import APIClient
from docker.errors import APIError, NotFound
from docker.types.daemon import CancellableStream

from docker_tutor.classroom.conditions import Condition, ContainerState, Exit, Healthy, Running
from docker_tutor.errors import EngineError, WaitTimedOut
from docker_tutor.i18n import _

__all__ = ["HasId", "Wait"]

_LAST_LINES = 5
_POLL_S = 0.05


class HasId(Protocol):
    """A container object of the SDK, or anything else that has an `id`."""

    @property
    def id(self) -> str | None:
        """The container's id."""


Container = str | HasId
"""A container by its name or id, or as an object of the SDK."""


class Wait:
    """Waits for the containers of one room. Each method has a time limit and raises WaitTimedOut.

    The limits are those of an engine of the usual speed; on one that is emulated they are several times as long.
    """

    def __init__(self, api: Callable[[], APIClient], slowness: Callable[[], int] = lambda: 1) -> None:
        """Wait through the API client that `api` returns, `slowness` times as long as is said."""
        self._api = api
        self._slowness = slowness

    def exit(self, container: Container, *, within_s: float = 30) -> int:
        """Wait until the container has ended; return its exit status."""
        code = self.until(container, Exit(), within_s=within_s).exit_code
        if code is None:
            raise WaitTimedOut(_("{name} was removed before its exit status could be read").format(name=container))
        return code

    def running(self, container: Container, *, within_s: float = 30) -> ContainerState:
        """Wait until the container runs."""
        return self.until(container, Running(), within_s=within_s)

    def healthy(self, container: Container, *, within_s: float = 60) -> ContainerState:
        """Wait until the container's health check succeeds; at once an error if it has none."""
        return self.until(container, Healthy(), within_s=within_s)

    def until(self, container: Container, condition: Condition, *, within_s: float) -> ContainerState:
        """Wait until `condition` is met and return the state that met it."""
        within_s *= self._slowness()
        api = self._api()
        state = self._look(api, _id(container))
        if state.status == "removed":
            raise WaitTimedOut(_("There is no container {name} to wait for.").format(name=_id(container)))
        # `since` a little earlier: the engine answers before it has subscribed, and replays what came in between.
        events = api.events(since=int(time.time()) - 1, filters={"container": state.container_id}, decode=True)
        with _limited(events, within_s) as expired:
            exit_code = None
            state = self._look(api, state.container_id, state)
            while not condition.met(state) and not condition.hopeless(state):
                event = next(events, None)
                if event is None:
                    break
                if event.get("Action") == "die":
                    exit_code = int(event["Actor"]["Attributes"].get("exitCode", -1))
                if not str(event.get("Action")).startswith("exec_"):
                    state = self._look(api, state.container_id, state, exit_code)
        if condition.met(state):
            return state
        if not expired.is_set() and not condition.hopeless(state):
            raise EngineError(_("The engine stopped answering while {name} was awaited.").format(name=state.name))
        raise WaitTimedOut(self._explained(api, state, condition.words, within_s if expired.is_set() else None))

    def log(self, container: Container, text: str | re.Pattern[str], *, within_s: float = 30) -> str:
        """Wait until the container writes a line with `text` in it (or matching a pattern); return the line."""
        within_s *= self._slowness()
        api = self._api()
        state = self._look(api, _id(container))
        if state.status == "removed":
            raise WaitTimedOut(_("There is no container {name} to wait for.").format(name=_id(container)))
        pattern = text if isinstance(text, re.Pattern) else re.compile(re.escape(text))
        chunks = api.logs(state.container_id, stream=True, follow=True)
        with _limited(chunks, within_s) as expired:
            for line in _lines(chunks):
                if pattern.search(line):
                    return line
        words = _("write “{text}”").format(text=pattern.pattern if isinstance(text, re.Pattern) else text)
        state = self._look(api, state.container_id, state)
        raise WaitTimedOut(self._explained(api, state, words, within_s if expired.is_set() else None))

    def port(self, port: int, *, host: str = "127.0.0.1", within_s: float = 30) -> None:
        """Wait until something answers on TCP `port`: takes a connection and does not drop it at once.

        Whoever forwards a published port accepts connections before the program in the container listens,
        and drops them; so being accepted is not enough.
        """
        within_s *= self._slowness()
        deadline = time.monotonic() + within_s
        never = threading.Event()
        while not _answers(host, port):
            if time.monotonic() >= deadline:
                message = _("Nothing answered on {host}:{port} within {seconds:g} s; see `docker ps` for its ports.")
                raise WaitTimedOut(message.format(host=host, port=port, seconds=within_s))
            never.wait(_POLL_S)  # polling: nobody announces that a port is being listened on

    def _look(
        self, api: APIClient, container_id: str, last: ContainerState | None = None, exit_code: int | None = None
    ) -> ContainerState:
        try:
            return ContainerState.of(api.inspect_container(container_id))
        except NotFound:
            return ContainerState(container_id, last.name if last else container_id, "removed", exit_code)

    def _explained(self, api: APIClient, state: ContainerState, awaited: str, after_s: float | None) -> str:
        if after_s is None:
            message = _("{name} was to {awaited}, and no longer can: it is {state}.")
        else:
            message = _("{name} was to {awaited} within {seconds:g} s, and did not: it is {state}.")
        said = message.format(name=state.name, awaited=awaited, seconds=after_s or 0, state=state.words())
        lines = _last_lines(api, state)
        if lines:
            said += "\n" + _("The last it wrote:") + "".join(f"\n  {line}" for line in lines)
        return said


@contextmanager
def _limited(stream: "CancellableStream[Any]", within_s: float) -> Iterator[threading.Event]:
    """Close `stream` when the time is up, and in any case at the end; the event tells whether it was the time."""
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        with suppress(OSError):  # the other side may have closed it at the same moment
            stream.close()

    timer = threading.Timer(within_s, expire)
    timer.daemon = True
    timer.start()
    try:
        yield expired
    finally:
        timer.cancel()
        timer.join()
        with suppress(OSError):
            stream.close()
        # The SDK shuts the socket and keeps the file that it read from; without this it is a leaked descriptor.
        vars(stream)["_response"].close()


def _lines(chunks: "CancellableStream[bytes]") -> Iterator[str]:
    """Put the pieces of a log together into lines; the last one counts even without its end."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line.decode(errors="replace").rstrip("\r") for line in whole)
    if rest:
        yield rest.decode(errors="replace")


def _last_lines(api: APIClient, state: ContainerState) -> list[str]:
    try:
        written = api.logs(state.container_id, tail=_LAST_LINES)
    except APIError:
        return []  # removed meanwhile, or its logging driver keeps nothing to read
    return [str(line) for line in written.decode(errors="replace").splitlines()]


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1) as connection:
            connection.settimeout(0.1)
            return bool(connection.recv(1))
    except TimeoutError:
        return True  # it keeps the connection and waits for us to speak first
    except OSError:
        return False


def _id(container: Container) -> str:
    return container if isinstance(container, str) else str(container.id)
