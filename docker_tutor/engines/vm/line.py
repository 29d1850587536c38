"""What the guest and its keeper say to each other: one JSON object a line, over a serial line that nobody else has.

Guest to keeper: `{"ready": true}` once dockerd answers; `{"listeners": [[protocol, port, address], …]}` whenever they
change; `{"beat": n}` as a sign of life; `{"failed": what, "said": why}` before it gives up; `{"ended": "program"}`;
`{"resting": true}` once it may be saved. Keeper to guest: `{"do": "stop"}`; `{"do": "end program"}`; `{"do": "rest"}`
before it is saved; and `{"do": "go on", "now": seconds}` after that, upon which it says again that it is ready and what
listens.
"""

import json
from collections.abc import Iterator
from typing import Any

__all__ = ["Messages", "written"]


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
