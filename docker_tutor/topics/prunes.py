"""What a prune takes, found out before and after.

Source: Docker's reference of `docker volume prune` (anonymous volumes only since Engine 23).
"""

from dataclasses import dataclass

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.gateway.labels import SCOPE

__all__ = ["PrunePlan", "volumes"]

ANONYMOUS = "com.docker.volume.anonymous"
"""The engine's own label on a volume that nobody named."""


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """One named and one anonymous volume, both unused, and which command took them."""

    previewed: tuple[str, ...]
    """What the preview said that a plain prune would take."""
    taken_by_prune: tuple[str, ...]
    taken_by_prune_all: tuple[str, ...]
    """What was gone after `prune -a` as well."""

    def to_frame(self) -> pd.DataFrame:
        """Return one line per volume."""
        kinds = ("anonymous", "named")
        return pd.DataFrame(
            {
                "volume": kinds,
                "preview says": [kind in self.previewed for kind in kinds],
                "gone after prune": [kind in self.taken_by_prune for kind in kinds],
                "gone after prune -a": [kind in self.taken_by_prune_all for kind in kinds],
            }
        )


def volumes(room: Room) -> PrunePlan:
    """Make two unused volumes, say what a prune would take, then prune: only among this room's own volumes."""
    own = f"{SCOPE}={room.scope}"
    made = {
        "named": room.api.create_volume(room.unique("named"), labels={SCOPE: room.scope})["Name"],
        "anonymous": room.api.create_volume(labels={SCOPE: room.scope})["Name"],
    }

    def there() -> dict[str, dict[str, str]]:
        listed = room.api.volumes(filters={"dangling": True, "label": own})["Volumes"] or []
        return {volume["Name"]: volume["Labels"] or {} for volume in listed}

    def gone() -> tuple[str, ...]:
        left = there()
        return tuple(sorted(kind for kind, name in made.items() if name not in left))

    labels = there()
    previewed = tuple(sorted(kind for kind, name in made.items() if ANONYMOUS in labels[name]))
    room.api.prune_volumes(filters={"label": own})
    after_prune = gone()
    room.api.prune_volumes(filters={"label": own, "all": True})
    return PrunePlan(previewed, after_prune, gone())
