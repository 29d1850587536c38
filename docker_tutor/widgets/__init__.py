"""Pictures that move: widgets fed by what a topic yields. Without a live kernel each leaves a still picture behind.

A widget's module is imported when it is first asked for, because ipywidgets takes its time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docker_tutor.widgets.cache import CacheOracle
    from docker_tutor.widgets.layers import LayerExplorer
    from docker_tutor.widgets.stats import LiveStats
    from docker_tutor.widgets.topology import NetworkMap

_MODULE_OF = {
    "CacheOracle": "cache",
    "LayerExplorer": "layers",
    "LiveStats": "stats",
    "NetworkMap": "topology",
}

__all__ = [
    "CacheOracle",
    "LayerExplorer",
    "LiveStats",
    "NetworkMap",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_MODULE_OF)
