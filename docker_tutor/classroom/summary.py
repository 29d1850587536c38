"""What the first cell of a notebook says about the room it has opened."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from docker_tutor.classroom import tables
from docker_tutor.engines.base import Engine
from docker_tutor.i18n import _
from docker_tutor.images import Provided
from docker_tutor.units import human_seconds

__all__ = ["Summary", "about"]


@dataclass(frozen=True, slots=True)
class Summary:
    """The few things worth knowing about an open room."""

    scope: str
    engine: str
    """One sentence: which engine, and why this one."""
    images: Sequence[Provided]
    seconds: float
    """How long it took to open."""
    removed: int = 0
    """Things of rooms whose kernel had died, which were removed on opening this one."""

    def rows(self) -> list[tuple[str, str]]:
        """Return the summary as (what, said) pairs, in reading order."""
        rows = [(_("Engine"), self.engine)]
        plain = [image.name for image in self.images if image.source != "stand-in"]
        stand_ins = [image for image in self.images if image.source == "stand-in"]
        if plain:
            rows.append((_("Images"), ", ".join(plain)))
        rows += [(image.name, image.note) for image in stand_ins]
        if stand_ins:
            said = _(
                "No registry gave the image, so the course built one. Commands work as typed; "
                "sizes and versions are the stand-in's, not the original's."
            )
            rows.append((_("Stand-ins"), said))
        rows.append((_("Room"), self._room()))
        return rows

    def _room(self) -> str:
        said = _("{scope}, open in {time}. What you make here is removed when the kernel stops, or by `room.close()`.")
        words = said.format(scope=self.scope, time=human_seconds(self.seconds))
        if self.removed:
            words += " " + _("Removed first: {count} things left by a kernel that died.").format(count=self.removed)
        return words

    def text(self) -> str:
        """Return the summary as plain text, one line for each row."""
        return tables.text(self.rows())

    def page(self) -> str:
        """Return the summary as HTML: a small table whose first column heads its rows."""
        return tables.page(self.rows())


def about(engine: Engine) -> str:
    """Say which engine it is, and why this one."""
    status = engine.status()
    if os.environ.get("DOCKER_TUTOR_ENGINE", "auto") == engine.kind:
        why = _("You asked for it with `DOCKER_TUTOR_ENGINE={kind}`.").format(kind=engine.kind)
    elif engine.disposable:
        why = _("No other engine answered on this machine.")
    else:
        why = _("It was there already; what is yours on it is left alone.")
    version = (status.version or "").partition("+")[0]  # without the distribution's revision
    return _("Docker {version}, {kind}. {detail} {why}").format(
        version=version, kind=engine.kind, detail=status.detail, why=why
    )
