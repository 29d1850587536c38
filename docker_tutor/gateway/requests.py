"""A request to the daemon, taken apart: what the rules of the gateway look at and change."""

import json
import re
from dataclasses import dataclass, field
from typing import IO, Any
from urllib.parse import parse_qs, quote, urlencode

__all__ = ["JSON_BODIES", "Reply", "Request", "hijacks"]

_TARGET = re.compile(r"(/v\d+\.\d+)?(/[^?]*)(?:\?(.*))?")

JSON_BODIES = re.compile(
    r"/(containers|networks|volumes|services|secrets|configs)/create"
    r"|/networks/[^/]+/(connect|disconnect)"
    r"|/containers/[^/]+/(exec|update)"
    r"|/commit"
)
"""The requests (all POST) whose body is read whole, because a rule may look into it or change it."""

_HIJACKS = re.compile(r"/containers/[^/]+/attach|/exec/[^/]+/start|/session|/grpc")


@dataclass(slots=True)
class Request:
    """One request, before it goes to the daemon. Rules and extensions change it in place."""

    method: str
    path: str
    """Without the API version and the query: `/containers/create`."""
    query: dict[str, list[str]] = field(default_factory=dict)
    body: dict[str, Any] | None = None
    """The parsed body of a request that makes or connects something; None for all others."""
    version: str = ""
    """`/v1.45`, or empty."""
    agent: str = ""
    scope: str = ""
    typed_name: str = ""
    """The name that the client asked for, where another one had to be given."""
    spool: IO[bytes] | None = None
    """The body of a request that was kept until a rule has looked into it."""
    daemon: Any = None
    """For extensions: `await request.daemon.call("GET", "/version")` asks the daemon itself."""

    @classmethod
    def parse(cls, method: str, target: str) -> "Request":
        """Take a request line apart."""
        match = _TARGET.fullmatch(target)
        if match is None:
            return cls(method, target)
        version, path, query = match.groups()
        return cls(method, path, parse_qs(query, keep_blank_values=True) if query else {}, version=version or "")

    def target(self) -> str:
        """Put the request line's target together again."""
        query = f"?{urlencode(self.query, doseq=True)}" if self.query else ""
        return f"{self.version}{self.path}{query}"

    def first(self, key: str) -> str:
        """Return a query parameter's first value, or an empty string."""
        return self.query.get(key, [""])[0]

    def flag(self, key: str) -> bool:
        """Return whether a query parameter says yes, in the daemon's own manner."""
        return self.first(key).strip().lower() not in {"", "0", "no", "false", "none"}

    def parts(self) -> list[str]:
        """Return the path's parts: `["containers", "web", "start"]`."""
        return self.path.strip("/").split("/")

    def with_part(self, index: int, value: str) -> None:
        """Replace one part of the path."""
        parts = self.parts()
        parts[index] = quote(value, safe="")
        self.path = "/" + "/".join(parts)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that the gateway gives itself, in the daemon's own form."""

    status: int
    body: Any = None

    @classmethod
    def refuse(cls, message: str, status: int = 403) -> "Reply":
        """Refuse, with one sentence that every client shows."""
        return cls(status, {"message": message})

    @property
    def message(self) -> str:
        """The sentence of a refusal."""
        return str(self.body["message"]) if isinstance(self.body, dict) else ""

    def encoded(self) -> bytes:
        """Return the body as JSON, empty for none."""
        return b"" if self.body is None else json.dumps(self.body).encode() + b"\n"


def hijacks(request: Request) -> bool:
    """Return whether a request's connection may stop being HTTP, with or without an Upgrade header."""
    return _HIJACKS.fullmatch(request.path) is not None
