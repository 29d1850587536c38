"""A RUN that reads something which is in no cache key: it goes stale without a word. Shown, and cured two ways."""

import uuid
from dataclasses import dataclass

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.topics import builds

__all__ = ["StaleRun", "stale_run"]

DOCKERFILE = """FROM {base} AS fetch
ARG FRESH={nonce}
RUN cat /proc/uptime | tee /fetched
"""
"""The clock stands for whatever changes outside: a package list, a web page, a branch of somebody's repository."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the image of one build holds."""

    build: str
    """What was typed."""
    state: str
    """`ran` or `cached`."""
    uptime_s: float
    """What the image says the time is: the machine's seconds since it started."""


@dataclass(frozen=True, slots=True)
class StaleRun:
    """Four builds of the same three lines."""

    builds: tuple[Fetched, ...]

    @property
    def stale(self) -> bool:
        """Whether the second build gave the first one's answer."""
        return self.builds[1].uptime_s == self.builds[0].uptime_s

    @property
    def cured(self) -> bool:
        """Whether each of the two cures gave an answer of its own."""
        answers = [fetched.uptime_s for fetched in self.builds[1:]]
        return answers == sorted(set(answers))

    def to_frame(self) -> pd.DataFrame:
        """One row for each build."""
        return pd.DataFrame(
            {"docker buildx build …": b.build, "the RUN": b.state, "answer in the image [s]": b.uptime_s}
            for b in self.builds
        )


def stale_run(room: Room, *, base: str = "alpine:3.19") -> StaleRun:
    """Build the same Dockerfile four times: twice as it is, then with each of two cures. Removes its images."""
    nonce = uuid.uuid4().hex[:8]
    folder = room.folder / f"stale-{nonce}"
    builds.write_context(folder, {"Dockerfile": DOCKERFILE.format(base=base, nonce=nonce)})
    ways: tuple[tuple[str, dict[str, str], list[str]], ...] = (
        (".", {}, []),
        (". (again)", {}, []),
        ("--no-cache-filter fetch .", {}, ["--no-cache-filter=fetch"]),
        ("--build-arg FRESH=… .", {"FRESH": f"{nonce}-2"}, []),
    )
    found = []
    # A name for each: building under a name again would leave the former image without one.
    tags = [f"{room.unique('stale')}:{number}" for number in range(len(ways))]
    try:
        for tag, (typed, arguments, options) in zip(tags, ways, strict=True):
            built = builds.build(room, folder, tag=tag, arguments=arguments, options=options)
            said = room.cli("run", "--rm", tag, "cat", "/fetched").stdout
            found.append(Fetched(typed, built.trace.line("RUN").state, float(said.split()[0])))
    finally:
        room.cli("image", "rm", "--force", *tags, check=False)
    return StaleRun(tuple(found))
