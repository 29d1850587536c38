"""An image's configuration and version, out of a recipe and the packages that it found."""

from collections.abc import Mapping
from typing import Any

__all__ = ["configured", "upstream"]


def configured(said: Mapping[str, Any], version: str, base: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe's configuration on top of its base's: environment variables are merged by name."""
    names = {line.partition("=")[0]: line for line in [*base.get("Env", ()), *said.get("Env", ())]}
    major = version.partition(".")[0]
    env = [line.replace("{version}", version).replace("{major}", major) for line in names.values()]
    return {**base, **said, "Env": env}


def upstream(version: str) -> str:
    """Return the part of a Debian version that the software's own authors gave: `1:3.11.2-1+b1` → `3.11.2`."""
    plain = version.partition(":")[2] or version
    plain = plain.rpartition("-")[0] or plain
    return plain.partition("+")[0].partition("~")[0]
