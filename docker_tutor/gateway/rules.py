"""What the gateway does with the requests of its scope: labels, names, volumes, and the ledger's entries."""

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from docker_tutor.gateway.daemon import Answer, Daemon
from docker_tutor.gateway.exchange import Headers
from docker_tutor.gateway.holding import Holding
from docker_tutor.gateway.labels import OWNER, SCOPE
from docker_tutor.gateway.made import Made
from docker_tutor.gateway.names import Names
from docker_tutor.gateway.records import Journal, LedgerEntry
from docker_tutor.gateway.requests import Reply, Request
from docker_tutor.gateway.wire import Watch
from docker_tutor.i18n import _

if TYPE_CHECKING:
    from docker_tutor.gateway.guard import Guard
    from docker_tutor.gateway.imageguard import ImageGuard
    from docker_tutor.gateway.standins import StandIns

__all__ = ["Extension", "ScopeRules"]

Extension = Callable[[Request], Reply | Awaitable[Reply | None] | None]
"""Sees every request after the gateway's own rules, may change it in place, or answer it with a Reply."""

_HELD_TRIES = 4


class ScopeRules:
    """The rules of one scope on one daemon."""

    def __init__(
        self,
        scope: str,
        owner: str,
        daemon: Daemon,
        journal: Journal,
        *,
        extension: Extension | None = None,
        disposable: bool = True,
        others: Callable[[], Iterable[LedgerEntry]] = tuple,
    ) -> None:
        """Make rules; `others` returns the ledger entries of the course's other scopes."""
        self.scope = scope
        self.daemon = daemon
        self._labels = {SCOPE: scope, OWNER: owner}
        self._names = Names(scope.rsplit("-", 1)[-1])
        self._holding = Holding(self._labels, self._names, daemon, journal)
        self._made = Made(daemon, journal)
        self._journal = journal
        self._extension = extension
        self._builds: set[str] = set()
        self._guard: Guard | None = None
        self._images: ImageGuard | None = None
        self._stand_ins: StandIns | None = None
        if not disposable:
            self._protect(others)
        self.creating: set[asyncio.Future[None]] = set()
        self.closing = False

    def _protect(self, others: Callable[[], Iterable[LedgerEntry]]) -> None:
        # Imported only where it is needed: a gateway to an engine of our own starts without it.
        from docker_tutor.gateway.guard import Guard
        from docker_tutor.gateway.imageguard import ImageGuard
        from docker_tutor.gateway.prunes import Prunes
        from docker_tutor.gateway.standins import StandIns

        prunes = Prunes(self.scope, self.daemon, self._made, self._journal)
        self._images = ImageGuard(self._holding, self._made, others)
        self._guard = Guard(self._holding, self._images, prunes, self._journal)
        self._stand_ins = StandIns(self.daemon, self._journal)

    async def before(self, request: Request) -> Reply | None:
        """Prepare a request. See `proxy.Rules`."""
        request.scope = self.scope
        self._names.rewrite(request)
        if self._guard is not None and (refused := await self._guard.judge(request)) is not None:
            return refused
        if self._stand_ins is not None:
            await self._stand_ins.see(request)
        if request.method == "POST":
            if self.closing and request.path.endswith(("/create", "/build", "/commit", "/grpc")):
                return Reply.refuse(_("This scope is being closed: nothing new is made in it."), 503)
            await self._prepare(request)
        elif request.method == "DELETE":
            await self._holding.note_anonymous_volumes(request)
        if self._extension is None:
            return None
        request.daemon = self.daemon
        reply = self._extension(request)
        return await reply if inspect.isawaitable(reply) else reply

    async def _prepare(self, request: Request) -> None:
        self._label(request)
        if request.path == "/containers/create" and request.body is not None:
            await self._holding.make_volumes(request.body)
        elif request.path.endswith("/rename"):
            await self._holding.rename(request)
        elif self._made.wants_answer(request):
            await self._made.prepare()
            if request.path == "/build" and self._stand_ins is not None:
                await self._stand_ins.lend()

    def _label(self, request: Request) -> None:
        body = request.body
        if body is not None and (request.path.endswith("/create") or request.path == "/commit"):
            body["Labels"] = {**(body.get("Labels") or {}), **self._labels}
        elif request.path == "/build":
            labels = json.loads(request.first("labels") or "{}") or {}
            request.query["labels"] = [json.dumps({**labels, **self._labels})]
            # The classic builder's own containers carry no label; the SDK would leave them lying about.
            request.query["rm"] = request.query["forcerm"] = ["1"]

    async def ask(self, request: Request, headers: Headers) -> Answer:
        """Put a request with a parsed body to the daemon. See `proxy.Rules`."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.creating.add(done)
        try:
            if request.path == "/volumes/create" and request.body and request.body.get("Name"):
                request.body["Name"] = await self._holding.volume_name(request.body["Name"])
            answer = await self._call(request, headers)
            for _try in range(_HELD_TRIES):
                if answer.status != 409 or not await self._holding.make_room(request):
                    break
                answer = await self._call(request, headers)
            return answer
        finally:
            self.creating.discard(done)
            done.set_result(None)

    async def _call(self, request: Request, headers: Headers) -> Answer:
        return await self.daemon.call(
            request.method, f"{request.version}{request.path}", request.query, request.body, headers
        )

    def keeps_body(self, request: Request) -> bool:
        """See `proxy.Rules`."""
        return self._guard is not None and request.method == "POST" and request.path == "/images/load"

    def wants_answer(self, request: Request) -> bool:
        """See `proxy.Rules`."""
        return self._made.wants_answer(request)

    async def after(self, request: Request, status: int, body: bytes) -> None:
        """See `proxy.Rules`."""
        if request.path == "/build" and self._stand_ins is not None:
            await self._stand_ins.take_back()
        if status >= 400:
            return
        if request.path == "/containers/create" and not request.typed_name:
            # The name was free: it means itself, whatever it stood for before.
            self._names.forget("containers", request.first("name"))
        await self._made.note(request, body)

    def watch(self, request: Request) -> Watch | None:
        """See `proxy.Rules`."""
        if request.path != "/grpc":
            return None
        from docker_tutor.gateway.buildkit import BuildkitWatch  # takes 50 ms, and only a build needs it

        return BuildkitWatch(self._made.built, self._build_starts, self._cache_prune, self._build_over, self._builds)

    async def _build_starts(self, names: list[str]) -> str | None:
        await self._made.prepare()
        refused = await self._images.moves(names) if self._images is not None else None
        if self._stand_ins is not None:
            await self._stand_ins.lend()
        return None if refused is None else refused.message

    async def _build_over(self) -> None:
        if self._stand_ins is not None:
            await self._stand_ins.take_back()

    def _cache_prune(self) -> str | None:
        if self._guard is None:
            return None
        return _(
            "The cache and the records of builds belong to everyone on this engine: the course leaves them as they are."
        )
