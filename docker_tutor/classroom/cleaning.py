"""What is left of rooms whose kernel has gone, and its removal; also at the start of every room.

A gateway outlives its kernel and tidies up, so there is something to find only when the gateway itself was
killed, or the engine with it. Nothing of a living room is touched.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from docker_tutor.classroom import scopes
from docker_tutor.engines import spare
from docker_tutor.engines.base import Engine
from docker_tutor.gateway import cleanup
from docker_tutor.gateway.live import Registration
from docker_tutor.gateway.removal import Cleaned
from docker_tutor.i18n import _

__all__ = ["Cleanup", "clean", "clean_alone"]


@dataclass(frozen=True, slots=True)
class Cleanup:
    """What was removed, or in a dry run would be, and what was not."""

    dry_run: bool
    scopes: tuple[Cleaned, ...]
    """One for each dead scope, with the names of what it had and what could not be removed."""
    folders: tuple[Path, ...]
    """The dead scopes' folders on this machine."""
    living: tuple[Registration, ...]
    """The rooms that are open, which are left alone."""
    spares: tuple[str, ...]
    """The spare engines that dead rooms had."""
    engine_asked: bool
    """Whether the engine answered; if not, what is on it goes at the next start."""

    @property
    def objects(self) -> int:
        """How many containers, networks, volumes, images and services."""
        return sum(len(scope) for scope in self.scopes)

    @property
    def left_over(self) -> int:
        """How many of them could not be removed."""
        return sum(len(scope.leftovers) for scope in self.scopes)

    def lines(self) -> Iterator[str]:
        """Say it all, one thing a line."""
        verb = _("would remove") if self.dry_run else _("removed")
        for scope in self.scopes:
            for kind in ("containers", "networks", "volumes", "images", "services"):
                for name in getattr(scope, kind):
                    yield f"{scope.scope}: {verb} {kind[:-1]} {name}"
            for left in scope.leftovers:
                why = _("{scope}: left {kind} {name}: {why}")
                yield why.format(scope=scope.scope, kind=left.kind, name=left.name, why=left.why)
        for name in self.spares:
            yield _("{verb} the spare engine {name}").format(verb=verb, name=name)
        for folder in self.folders:
            yield f"{verb} {folder}"
        for room in self.living:
            yield _("{scope} is open (process {pid}): left alone").format(scope=room.scope, pid=room.pid)
        if not self.engine_asked:
            yield _("The engine does not run; what rooms have left on it is removed when the next one opens.")
        if not (self.objects or self.folders or self.spares or self.left_over):
            yield _("Nothing is left over.")


def clean(engine: Engine | None, *, dry_run: bool = False) -> Cleanup:
    """Remove what rooms of dead kernels left on `engine` (if it runs) and in this instance's folders.

    With `dry_run` nothing is changed. Raises OSError or GatewayError when the engine does not answer as it should.
    """
    with scopes.alone():
        return clean_alone(engine, dry_run=dry_run)


def clean_alone(engine: Engine | None, *, dry_run: bool = False) -> Cleanup:
    """Do the same for a caller that has the lock (`scopes.alone`) already."""
    running = engine is not None and engine.status().state == "running"
    found = tuple(cleanup.remove_dead(engine.address, dry_run=dry_run)) if engine is not None and running else ()
    stuck = {scope.scope for scope in found if scope.leftovers}
    folders: list[Path] = []
    for scope in scopes.abandoned():
        if scope.name in stuck or not running:
            continue  # its ledger is needed to try again
        folders += [folder for folder in (scope.folder, scope.work.parent) if folder.exists()]
        if not dry_run:
            scope.forget()
    worth_telling = tuple(scope for scope in found if len(scope) or scope.leftovers)
    spares = spare.abandoned() if dry_run else spare.remove_abandoned()
    living = tuple(cleanup.live_scopes())
    return Cleanup(dry_run, worth_telling, tuple(folders), living, tuple(spares), running)
