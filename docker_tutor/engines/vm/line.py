"""What the guest and its keeper say to each other: one JSON object a line, over a serial line that nobody else has.

Guest to keeper: `{"ready": true}` once dockerd answers; `{"listeners": [[protocol, port, address], …]}` whenever they
change; `{"beat": n, "free": bytes of its disk}` as a sign of life; `{"failed": what, "said": why}` before it gives up;
`{"ended": "program"}`; `{"resting": true}` once it may be saved.

Keeper to guest: `{"do": "stop"}`; `{"do": "end program"}`; `{"do": "rest"}` before it is saved; and
`{"do": "go on", "now": seconds}` after that, upon which it says again that it is ready and what listens.

What goes in is paced: the guest says `{"read": n}` for every so many bytes.

Both ways: `{"peer": n, "datagram": base64}`; inwards with `"to": [address, port]`, until `{"do": "forget", "peer": n}`.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["ACKNOWLEDGED_BYTES", "Messages", "Paced", "written"]

WINDOW_BYTES = 2048
"""A terminal keeps 4096 bytes for its reader. User-Mode Linux tells one that has more to wait, and never hears of it
again (Linux kernel, drivers/tty/n_tty.c, TTY_THRESHOLD_THROTTLE; arch/um/drivers/line.c, line_unthrottle)."""
ACKNOWLEDGED_BYTES = WINDOW_BYTES // 4
"""So many have been read when the guest says so."""


def written(message: dict[str, Any]) -> bytes:
    """Return `message` as it goes over the line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


class Messages:
    """Puts together what arrives in pieces, and leaves out what is no message: a terminal may echo or say its own."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Yield the messages that are whole now."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if isinstance(message, dict):
                yield message


class Paced:
    """Sends no more into the line than its reader has room for."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        """Send with `send`."""
        self._send = send
        self._waiting = bytearray()
        self._under_way_bytes = 0

    @property
    def waiting_bytes(self) -> int:
        """What has still to be sent."""
        return len(self._waiting)

    def put(self, data: bytes) -> None:
        """Send `data`, as soon as there is room for it."""
        self._waiting += data
        self._flow()

    def was_read(self, count: int) -> None:
        """Go on, since the reader says that it has read so many bytes."""
        # One that was saved may speak of what came before.
        self._under_way_bytes = max(0, self._under_way_bytes - count)
        self._flow()

    def _flow(self) -> None:
        part = bytes(self._waiting[: WINDOW_BYTES - self._under_way_bytes])
        if part:
            del self._waiting[: len(part)]
            self._under_way_bytes += len(part)
            self._send(part)
