"""The extension point: a function of somebody else's that sees every request of a scope."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from docker_tutor.errors import GatewayError
from docker_tutor.gateway.rules import Extension
from docker_tutor.i18n import _

__all__ = ["load"]


def load(name: str) -> Extension:
    """Import `module:callable`. Raises GatewayError when there is no such thing."""
    module, _colon, attribute = name.partition(":")
    try:
        found: object = import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise GatewayError(
            _("There is no gateway extension “{name}”: {error}").format(name=name, error=error)
        ) from error
    if not isinstance(found, Callable):  # type: ignore[arg-type]
        raise GatewayError(_("The gateway extension “{name}” is not a function").format(name=name))
    return cast("Extension", found)
