"""Who a container's process is, what it may write, and who may read a build's secret.

Sources: Dockerfile reference, `USER` and `RUN --mount=type=secret`; busybox's `adduser`; `man 5 passwd`.
"""

import re
import uuid
from dataclasses import dataclass

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.topics import builds
from docker_tutor.topics.places import shell

__all__ = ["CURES", "Identities", "Identity", "SecretRead", "SecretReads", "identities", "secret_after_user"]

BASE = "alpine:3.19"
WAYS = {
    "no USER": "",
    "adduser -S -u": "RUN addgroup -g 1001 -S app && adduser -S app -u 1001\nUSER app\n",
    "adduser -S -G -u": "RUN addgroup -g 1001 -S app && adduser -S -G app -u 1001 app\nUSER app\n",
    "USER 1001:1001": "USER 1001:1001\n",
}
"""Four ways to say who runs: what stands in the Dockerfile after `FROM`."""

CURES = {
    "plain": "type=secret,id=token",
    "required=true": "type=secret,id=token,required=true",
    "uid=1001": "type=secret,id=token,uid=1001",
    "no secret given": "type=secret,id=absent",
    "no secret, required=true": "type=secret,id=absent,required=true",
}
"""Ways to mount a secret in a `RUN` that stands after `USER 1001`."""
READ = 'TOKEN=$(cat /run/secrets/{name}); echo "length ${{#TOKEN}}"'
ID = re.compile(r"uid=(\d+)(?:\(([^)]*)\))? gid=(\d+)(?:\(([^)]*)\))?")


@dataclass(frozen=True, slots=True)
class Identity:
    """One process, and what it could write."""

    way: str
    uid: int
    user: str
    """Its name inside, empty where the number has none."""
    gid: int
    group: str
    writes_etc: bool
    """Whether it could make a file in `/etc`."""
    writes_tmp: bool
    refusal: str
    """What it was told in `/etc`; empty if it was not refused."""


@dataclass(frozen=True, slots=True)
class Identities:
    """The same image, with different words about who runs."""

    rows: tuple[Identity, ...]

    def way(self, way: str) -> Identity:
        """Return the process of one way."""
        return next(row for row in self.rows if row.way == way)

    def to_frame(self) -> pd.DataFrame:
        """Return one line per way."""
        rows = [
            (r.way, f"{r.uid} {r.user}".strip(), f"{r.gid} {r.group}".strip(), r.writes_etc, r.writes_tmp, r.refusal)
            for r in self.rows
        ]
        return pd.DataFrame(rows, columns=["way", "user", "group", "writes /etc", "writes /tmp", "was told"])


@dataclass(frozen=True, slots=True)
class SecretRead:
    """A secret, read in a `RUN` after `USER`."""

    mount: str
    options: str
    built: bool
    """Whether the build succeeded."""
    length: int
    """Characters that the command got; 0 is an empty token, -1 a command that was never run."""
    said: str
    """What the step wrote, or why the build failed."""


@dataclass(frozen=True, slots=True)
class SecretReads:
    """The same secret, mounted in several ways for a user who is not root."""

    token_length: int
    rows: tuple[SecretRead, ...]

    def mount(self, mount: str) -> SecretRead:
        """Return what one mount gave."""
        return next(row for row in self.rows if row.mount == mount)

    def to_frame(self) -> pd.DataFrame:
        """Return one line per mount."""
        rows = [(r.mount, r.options, r.built, r.length if r.length >= 0 else None, r.said) for r in self.rows]
        table = pd.DataFrame(rows, columns=["way", "--mount=", "build succeeded", "characters read", "was told"])
        return table.astype({"characters read": "Int64"})


def identities(room: Room) -> Identities:
    """Build one image per way, run it, ask `id`, and let it write in `/etc` and in `/tmp`."""
    folder = builds.write_context(room.folder / "users", {"empty": ""})
    rows = []
    for number, (way, lines) in enumerate(WAYS.items(), start=1):
        tag = f"{room.unique('users')}:{number}"
        # The label: two ways must not end up as one image under two names.
        builds.build(room, folder, tag=tag, dockerfile=f"FROM {BASE}\nLABEL way={number}\n{lines}")
        rows.append(_identity(room, tag, way))
        room.cli("rmi", "-f", tag)
    return Identities(tuple(rows))


def secret_after_user(room: Room) -> SecretReads:
    """Build a `RUN` that reads a secret after `USER 1001`, once for each of `CURES`.

    Each build is one of its own: nothing of it is taken from the cache.
    """
    token = f"tok_{uuid.uuid4().hex}"
    folder = builds.write_context(room.folder / "secret-user", {".dockerignore": "*\n"})
    secret = room.folder / f"{room.unique('token')}.txt"
    secret.write_text(token)
    rows = []
    for way, options in CURES.items():
        read = READ.format(name="absent" if "absent" in options else "token")
        text = f"FROM {BASE}\nUSER 1001\nRUN --mount={options} : {uuid.uuid4().hex} && {read}\n"
        made = builds.build(room, folder, dockerfile=text, secrets={"token": secret}, check=False)
        log = "".join(step.log for step in made.trace.lines)
        found = re.search(r"length (\d+)", log)
        said = log.replace(found[0], "").strip() if found else made.error.rpartition("failed to solve: ")[2]
        rows.append(SecretRead(way, options, made.ok, int(found[1]) if found else -1, said))
    secret.unlink()
    return SecretReads(len(token), tuple(rows))


def _identity(room: Room, tag: str, way: str) -> Identity:
    name = room.unique("users")
    container = room.client.containers.run(
        tag, ["sleep", "600"], name=name, detach=True, init=True, network_mode="none"
    )
    try:
        found = ID.match(shell(container, "id"))
        told = shell(container, "touch /etc/mine 2>&1 || true")
        tmp = shell(container, "touch /tmp/mine 2>&1 || true")
    finally:
        container.remove(force=True)
    uid, user, gid, group = found.groups(default="") if found else ("-1", "", "-1", "")
    return Identity(way, int(uid), user, int(gid), group, not told, not tmp, told)
