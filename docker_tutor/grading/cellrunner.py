"""Running cells in a kernel, wherever it is: sent, waited for, interrupted, and given up.

What a cell does never raises here, and what it publishes is text that is cut to a length, never a result.
"""

import queue
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Any

import zmq
from jupyter_client.blocking.client import BlockingKernelClient

from docker_tutor.grading.seats import Ran
from docker_tutor.i18n import _

__all__ = ["CellRunner"]

_INTERRUPTED_WITHIN_S = 3
_SENT_WITHIN_MS = 2000
_LONGEST = 4000


class CellRunner(ABC):
    """A kernel that is connected. Runs cells, one after the other."""

    _client: BlockingKernelClient

    @abstractmethod
    def alive(self) -> bool:
        """Whether the kernel's process is there."""

    @abstractmethod
    def close(self) -> None:
        """End it and everything that it has started. May be called again."""

    def run(self, source: str, within_s: float) -> Ran:
        """Run a cell, at most `within_s` seconds; one that does not let itself be interrupted loses its process."""
        if not self.alive():
            return Ran("died", _("The process that runs cells is gone."))
        try:
            asked = self._client.execute(source, allow_stdin=False, stop_on_error=False)
        except zmq.Again:
            self.close()
            return Ran("died", _("The process that runs cells no longer listens."))
        written: list[str] = []
        status = self._collected(asked, written, time.monotonic() + within_s)
        if status == "late":
            with suppress(zmq.Again):  # it is ended below
                control = self._client.control_channel.socket
                self._client.session.send(control, self._client.session.msg("interrupt_request", {}))
            if self._collected(asked, written, time.monotonic() + _INTERRUPTED_WITHIN_S) == "late":
                self.close()
        elif status == "died":
            self.close()
        return Ran(status, "".join(written)[-_LONGEST:])

    def _connect(self, client: BlockingKernelClient) -> None:
        """Speak through `client` from now on; nobody need answer yet."""
        self._client = client
        client.start_channels()
        for channel in (client.shell_channel, client.control_channel):
            # A kernel whose sockets a student has broken lives and takes nothing: sending must not wait for it.
            channel.socket.setsockopt(zmq.SNDTIMEO, _SENT_WITHIN_MS)

    def _collected(self, asked: str, written: list[str], deadline: float) -> Any:
        """Read what the kernel publishes until it is idle again: `ok` or `error`, `late`, or `died`."""
        status = "ok"
        size = 0
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return "late"
            try:
                message = self._client.get_iopub_msg(timeout=min(left, 1))
            except queue.Empty:
                if not self.alive():
                    return "died"
                continue
            except ValueError:
                continue  # not signed with this kernel's key, or damaged on the way: nobody's word
            if message["parent_header"].get("msg_id") != asked:
                continue
            # The process that writes them is the student's, and they need not be of the form that they should have.
            content, kind = dict(message["content"]), message["msg_type"]
            if kind == "stream" and size < 16 * _LONGEST:
                written.append(str(content.get("text")))
                size += len(written[-1])
            elif kind == "error":
                status = "error"
                written.append(f"{content.get('ename')}: {content.get('evalue')}\n"[:_LONGEST])
            elif kind == "status" and content.get("execution_state") == "idle":
                return status
