"""Which engine to use: what is asked for, or the first that there is.

New kinds are added to `KINDS`; `AUTOMATIC` says in which order they are tried when nobody asks for one.
"""

import os
from collections.abc import Callable

from docker_tutor.engines.base import Engine
from docker_tutor.errors import EngineError, EngineNotFound, EngineNotPermitted, UnknownEngine
from docker_tutor.i18n import _

__all__ = ["AUTOMATIC", "KINDS", "kinds", "resolve"]


def _existing() -> Engine:
    from docker_tutor.engines.existing import ExistingEngine

    return ExistingEngine()


def _private() -> Engine:
    from docker_tutor.engines.private.engine import PrivateEngine

    return PrivateEngine()


def _uml() -> Engine:
    from docker_tutor.engines.vm.engine import VmEngine

    return VmEngine("uml")


def _qemu() -> Engine:
    from docker_tutor.engines.vm.engine import VmEngine

    return VmEngine("qemu")


KINDS: dict[str, Callable[[], Engine]] = {"existing": _existing, "private": _private, "uml": _uml, "qemu": _qemu}
"""How to make each kind; called only when it is wanted, so that nothing is imported in vain."""
AUTOMATIC = ("existing", "private", "uml")
"""The order of `auto`."""


def kinds() -> tuple[str, ...]:
    """Return the names that `resolve` and `DOCKER_TUTOR_ENGINE` take."""
    return ("auto", *KINDS)


def resolve(kind: str | None = None) -> Engine:
    """Return the engine of `kind`, else of `DOCKER_TUTOR_ENGINE`, else the first that can be had; start nothing.

    Raises `UnknownEngine` for a name that is none, and `EngineNotFound` when there is nothing to be had.
    """
    wanted = kind or os.environ.get("DOCKER_TUTOR_ENGINE") or "auto"
    if wanted == "auto":
        return _running() or _automatic()
    if wanted not in KINDS:
        raise UnknownEngine(
            _("There is no engine called {name}: choose one of {names}.").format(name=wanted, names=", ".join(kinds()))
        )
    return KINDS[wanted]()


def _running() -> Engine | None:
    """Return an engine of ours that is running: whoever started it means it to be used."""
    for kind in AUTOMATIC:
        try:
            engine = KINDS[kind]()
        except EngineError:
            continue
        if engine.disposable and engine.status().state == "running":
            return engine
    return None


def _automatic() -> Engine:
    reasons: list[EngineError] = []
    for kind in AUTOMATIC:
        try:
            engine = KINDS[kind]()
            if not engine.disposable:
                engine.up()  # which starts nothing, and says whether it answers
        except EngineError as error:
            reasons.append(error)
        else:
            return engine
    # A daemon that is there and may not be used is what its user can do most about.
    not_permitted = [reason for reason in reasons if isinstance(reason, EngineNotPermitted)]
    if not_permitted:
        raise not_permitted[0]
    raise EngineNotFound(
        _(
            "No Docker Engine answers here, and starting one needs Linux, and root or an x86-64 processor: start "
            "Docker, point DOCKER_HOST at one, or run the course as root."
        )
    ) from reasons[-1]
