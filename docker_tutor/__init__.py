"""docker_tutor: a course in which every claim about Docker is carried out on a real engine.

What a notebook needs is here, and each name is loaded when it is first used (PEP 562), so that
``import docker_tutor`` itself costs next to nothing::

    from docker_tutor import open_room, predict, check, cgroups, plots, MiB

    room = open_room("01-vm-vs-container", images=["python:3.11-slim"])
"""

import importlib

TYPE_CHECKING = False  # type checkers take the name for true; importing `typing` for it would be most of the cost
if TYPE_CHECKING:
    from docker_tutor import errors, plots, widgets
    from docker_tutor.classroom.check import check
    from docker_tutor.classroom.expectations import approx, at_least, at_most, between
    from docker_tutor.classroom.lacking import attempt
    from docker_tutor.classroom.predict import predict
    from docker_tutor.classroom.room import Room, open_room
    from docker_tutor.topics import (
        anatomy,
        archaeology,
        backups,
        bases,
        builds,
        cache,
        cgroups,
        compose,
        conversation,
        databases,
        health,
        layers,
        life,
        namespaces,
        networks,
        oci,
        overlay,
        prunes,
        stats,
        stopping,
        volumes,
    )
    from docker_tutor.units import GiB, KiB, MiB, human_bytes, human_seconds

__all__ = [
    "GiB",
    "KiB",
    "MiB",
    "Room",
    "anatomy",
    "approx",
    "archaeology",
    "at_least",
    "at_most",
    "attempt",
    "backups",
    "bases",
    "between",
    "builds",
    "cache",
    "cgroups",
    "check",
    "compose",
    "conversation",
    "databases",
    "errors",
    "health",
    "human_bytes",
    "human_seconds",
    "layers",
    "life",
    "namespaces",
    "networks",
    "oci",
    "open_room",
    "overlay",
    "plots",
    "predict",
    "prunes",
    "stats",
    "stopping",
    "volumes",
    "widgets",
]

_OBJECTS = {
    "GiB": "docker_tutor.units",
    "KiB": "docker_tutor.units",
    "MiB": "docker_tutor.units",
    "Room": "docker_tutor.classroom.room",
    "approx": "docker_tutor.classroom.expectations",
    "at_least": "docker_tutor.classroom.expectations",
    "at_most": "docker_tutor.classroom.expectations",
    "attempt": "docker_tutor.classroom.lacking",
    "between": "docker_tutor.classroom.expectations",
    "check": "docker_tutor.classroom.check",
    "human_bytes": "docker_tutor.units",
    "human_seconds": "docker_tutor.units",
    "open_room": "docker_tutor.classroom.room",
    "predict": "docker_tutor.classroom.predict",
}
_MODULES = {
    "errors": "docker_tutor.errors",
    "plots": "docker_tutor.plots",
    "widgets": "docker_tutor.widgets",
}
# One module per subject: `from docker_tutor import cgroups` without anyone keeping a list of them here.
_TOPICS = "docker_tutor.topics"


def __getattr__(name: str) -> object:
    if name in _OBJECTS:
        found = getattr(importlib.import_module(_OBJECTS[name]), name)
    elif name in _MODULES:
        found = importlib.import_module(_MODULES[name])
    else:
        found = _topic(name)
    globals()[name] = found
    return found


def _topic(name: str) -> object:
    module = f"{_TOPICS}.{name}"
    if not name.startswith("_"):
        try:
            return importlib.import_module(module)
        except ModuleNotFoundError as missing:
            if missing.name != module:  # the topic is there and something that it needs is not
                raise
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    import pkgutil

    from docker_tutor import topics

    found = (module.name for module in pkgutil.iter_modules(topics.__path__) if not module.name.startswith("_"))
    return sorted({*globals(), *__all__, *found})
