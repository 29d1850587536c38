"""The one door to the daemon: labels what is made, records what is said, removes what is left.

A gateway is a process of its own that listens on an owner-only Unix socket and passes everything on to the
engine. Nothing here is imported before it is asked for: the gateway's own process starts with a few modules.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docker_tutor.gateway import cleanup
    from docker_tutor.gateway.handle import Gateway
    from docker_tutor.gateway.records import Call, Ledger, LedgerEntry
    from docker_tutor.gateway.removal import Cleaned, Leftover
    from docker_tutor.gateway.requests import Reply, Request

__all__ = ["Call", "Cleaned", "Gateway", "Ledger", "LedgerEntry", "Leftover", "Reply", "Request", "cleanup"]

_HOMES = {
    "Call": "records",
    "Cleaned": "removal",
    "Gateway": "handle",
    "Ledger": "records",
    "LedgerEntry": "records",
    "Leftover": "removal",
    "Reply": "requests",
    "Request": "requests",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "cleanup":
        return import_module("docker_tutor.gateway.cleanup")
    if name in _HOMES:
        return getattr(import_module(f"docker_tutor.gateway.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
