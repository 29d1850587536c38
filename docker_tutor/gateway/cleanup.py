"""Tidying up after gateways that were killed: their scopes are found by label and by registration."""

from pathlib import Path

from docker_tutor.gateway import live
from docker_tutor.gateway.daemon import Daemon, run
from docker_tutor.gateway.labels import OWNER, SCOPE
from docker_tutor.gateway.live import Registration
from docker_tutor.gateway.records import Ledger, read_ledger
from docker_tutor.gateway.removal import Cleaned, find, remove
from docker_tutor.gateway.upstream import Connector

__all__ = ["dead_scopes", "list_scope", "live_scopes", "remove_dead", "remove_scope"]


def live_scopes() -> list[Registration]:
    """Return the scopes of this user and checkout whose gateway runs."""
    return [entry for entry in live.registrations() if entry.alive]


def dead_scopes(upstream: str) -> list[str]:
    """Return the scopes of this user and checkout that have no gateway any more and something left on the daemon.

    Raises OSError when the daemon does not answer, GatewayError when it answers with an error.
    """
    living = {entry.scope for entry in live_scopes()}
    registered = {entry.scope for entry in live.registrations() if entry.upstream == upstream}
    found: set[str] = run(_labelled(Connector(upstream), live.owner()))
    return sorted((found | registered) - living)


def list_scope(upstream: str, scope: str) -> Cleaned:
    """Return what a scope has on the daemon, without changing anything."""
    return remove_scope(upstream, scope, dry_run=True)


def remove_scope(upstream: str, scope: str, *, dry_run: bool = False, disposable: bool | None = None) -> Cleaned:
    """Remove everything of a scope that has no gateway any more; with `dry_run`, only say what there is.

    Raises OSError when the daemon does not answer, GatewayError when it answers with an error.
    """
    entry = next((entry for entry in live.registrations() if entry.scope == scope), None)
    ledger = read_ledger(Path(entry.folder)) if entry is not None else Ledger()
    if disposable is None:
        disposable = entry is not None and entry.disposable
    cleaned: Cleaned = run(_remove(Connector(upstream), scope, ledger, disposable, dry_run))
    if entry is not None and not entry.alive and not dry_run and not cleaned.leftovers:
        (live.live_folder() / f"{scope}.json").unlink(missing_ok=True)
    return cleaned


def remove_dead(upstream: str, *, dry_run: bool = False) -> list[Cleaned]:
    """Remove what all dead scopes of this user and checkout left; with `dry_run`, only say what there is."""
    scopes = dead_scopes(upstream)
    return [remove_scope(upstream, scope, dry_run=dry_run) for scope in scopes]


async def _labelled(connector: Connector, owner: str) -> set[str]:
    daemon = Daemon(connector)
    try:
        found = await find(daemon)
    finally:
        await daemon.close()
    labels = [
        item.get("Labels") or (item.get("Spec") or {}).get("Labels") or {} for kind in found for item in found[kind]
    ]
    return {entry[SCOPE] for entry in labels if SCOPE in entry and entry.get(OWNER) == owner}


async def _remove(connector: Connector, scope: str, ledger: Ledger, disposable: bool, dry_run: bool) -> Cleaned:  # noqa: FBT001
    daemon = Daemon(connector)
    try:
        return await remove(daemon, scope, ledger, disposable=disposable, dry_run=dry_run)
    finally:
        await daemon.close()
