"""A PostgreSQL server in a container, to have data worth keeping.

Sources: the official image's documentation (environment, `/docker-entrypoint-initdb.d`), and
`pg_isready`, `psql`, `pg_dump` in PostgreSQL's reference.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from docker.models.containers import Container
from docker.types import Mount

from docker_tutor.classroom.room import Room
from docker_tutor.errors import CommandFailed
from docker_tutor.i18n import _

__all__ = ["DATA_FOLDER", "Fingerprint", "dump", "fill", "fingerprint", "run_program", "server", "sql"]

IMAGE = "postgres:16"
DATA_FOLDER = "/var/lib/postgresql/data"
"""Where the official images up to 17 keep the database; from 18 on it is `/var/lib/postgresql`."""
USER = "learner"
DATABASE = "course"
NANOSECONDS = 10**9
ATTEMPTS = 3
NOT_STARTED = 126
"""Exit code of a `docker exec` whose program the engine could not start, which happens to one in thousands."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a table holds, in two values that differ when anything in it differs."""

    rows: int
    checksum: str
    """MD5 over every row's text in the order of its key."""


@contextmanager
def server(room: Room, volume: str, *, extra: list[Mount] | None = None, within_s: float = 90) -> Iterator[Container]:
    """Run PostgreSQL on `volume` until the block is left; it is stopped cleanly, then removed.

    Raises WaitTimedOut when it does not turn healthy within `within_s` seconds.
    """
    container = room.client.containers.run(
        IMAGE,
        name=room.unique("db"),
        detach=True,
        environment={"POSTGRES_USER": USER, "POSTGRES_DB": DATABASE, "POSTGRES_PASSWORD": secrets.token_hex(8)},
        mounts=[Mount(DATA_FOLDER, volume, type="volume"), *(extra or [])],
        healthcheck={
            # Over TCP: the server that runs the init scripts listens on its Unix socket alone.
            "test": ["CMD", "pg_isready", "-q", "-h", "127.0.0.1", "-U", USER, "-d", DATABASE],
            "interval": NANOSECONDS // 2,
            "timeout": 5 * NANOSECONDS,
            "retries": 200,
        },
    )
    try:
        room.wait.healthy(container, within_s=within_s)
        yield container
        container.stop(timeout=30)
    finally:
        container.remove(force=True, v=True)


def run_program(container: Container, *words: str) -> str:
    """Run a program of the server's image inside the container and return what it writes.

    Raises CommandFailed, with what it said, when it ends with an error.
    """
    for _attempt in range(ATTEMPTS):
        code, streams = container.exec_run(list(words), demux=True)
        if code != NOT_STARTED:
            break
    output, said = (bytes(stream or b"").decode(errors="replace") for stream in streams)
    if code:
        message = _("In the database container, {program} ended with exit code {code}: {said}")
        raise CommandFailed(message.format(program=words[0], code=code, said=said.strip()))
    return output


def sql(container: Container, statement: str) -> str:
    """Run one SQL statement and return its rows: one line each, columns separated by `|`."""
    words = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-U", USER, "-d", DATABASE, "-c", statement]
    return run_program(container, *words).strip()


def fill(container: Container, rows: int, table: str = "reading") -> None:
    """Create `table` and put `rows` rows with made-up measurements into it."""
    sql(container, f"CREATE TABLE {table} (id bigint PRIMARY KEY, taken timestamptz, celsius numeric, note text)")
    sql(
        container,
        f"INSERT INTO {table} SELECT n, timestamptz '2024-01-01' + n * interval '1 minute', "  # noqa: S608  (our own names)
        f"round((20 + 5 * sin(n / 100.0))::numeric, 3), md5(n::text) FROM generate_series(1, {rows}) AS n",
    )


def fingerprint(container: Container, table: str = "reading") -> Fingerprint:
    """Count the rows of `table` and compute a checksum over all of them; no rows and no checksum if it is missing."""
    if not sql(container, f"SELECT to_regclass('{table}')"):
        return Fingerprint(0, "")
    row = sql(
        container,
        f"SELECT count(*), md5(coalesce(string_agg(t::text, E'\\n' ORDER BY id), '')) FROM {table} AS t",  # noqa: S608
    )
    rows, checksum = row.split("|")
    return Fingerprint(int(rows), checksum)


def dump(container: Container, table: str = "reading") -> str:
    """Let `pg_dump` write `table` as SQL: consistent as of the moment it starts, whatever else goes on."""
    return run_program(container, "pg_dump", "-U", USER, "-d", DATABASE, "-t", table, "--no-owner")
