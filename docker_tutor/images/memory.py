"""Which registries were found dead, so that the next image does not wait for them again."""

import json
import time
from pathlib import Path

from docker_tutor import paths

__all__ = ["DeadRegistries"]

KEPT_S = 15 * 60
"""How long a registry stays dead: a session's start is short, and a network may come back."""


class DeadRegistries:
    """A small file of this instance, shared by its notebooks: registry, when it was found dead, and why.

    Known per engine, because engines stand in different networks.
    """

    def __init__(self, engine_id: str, file: Path | None = None) -> None:
        self._engine_id = engine_id
        self._file = file or paths.runtime_folder() / "dead-registries.json"

    def reason(self, host: str) -> str:
        """Return why `host` is taken for dead; empty when it is not."""
        when, reason = self._read().get(self._key(host), (0.0, ""))
        return reason if time.time() - when < KEPT_S else ""

    def remember(self, host: str, reason: str) -> None:
        """Note that `host` is dead from now on."""
        known = self._read()
        known[self._key(host)] = (time.time(), reason)
        self._write(known)

    def forget(self) -> None:
        """Ask every registry again: after the network has changed."""
        self._file.unlink(missing_ok=True)

    def _key(self, host: str) -> str:
        return f"{self._engine_id} {host}"

    def _read(self) -> dict[str, tuple[float, str]]:
        try:
            return {key: (float(when), str(why)) for key, (when, why) in json.loads(self._file.read_text()).items()}
        except (OSError, ValueError, TypeError, AttributeError):
            # Absent or torn: it is only a memory, and the worst case is one more wait.
            return {}

    def _write(self, known: dict[str, tuple[float, str]]) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(known))
        fresh.replace(self._file)
