"""A small API: items live in PostgreSQL and are kept warm in Redis. Every answer says who gave it, and from where.

POST /items {"name": …} writes one row; GET /items/N reads it; GET / gives the greeting; GET /health says ok.
"""

import json
import os
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pg8000.native
import redis

DATABASE = urlsplit(os.environ["DATABASE_URL"])
CACHE = redis.Redis(host=os.environ["REDIS_HOST"], socket_timeout=2) if os.environ.get("REDIS_HOST") else None
KEEP_S = 300


def sql(statement: str, **values: object) -> list[list[object]]:
    """Run one statement on a connection of its own, so that a restarted database is no matter."""
    connection = pg8000.native.Connection(
        DATABASE.username or "",
        host=DATABASE.hostname or "",
        port=DATABASE.port or 5432,
        database=DATABASE.path.lstrip("/"),
        password=DATABASE.password,
        timeout=10,
    )
    try:
        return list(connection.run(statement, **values) or [])
    finally:
        connection.close()


def item(number: int) -> tuple[str | None, str]:
    """Return an item's name, and where it came from: HIT, MISS, or OFF without a cache."""
    key = f"item:{number}"
    if CACHE and (kept := CACHE.get(key)):
        return kept.decode(), "HIT"
    rows = sql("SELECT name FROM item WHERE id = :id", id=number)
    name = str(rows[0][0]) if rows else None
    if CACHE and name is not None:
        CACHE.set(key, name, ex=KEEP_S)
    return name, "MISS" if CACHE else "OFF"


class Api(BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self) -> None:
        """Answer a question."""
        if self.path == "/health":
            self.answer(200, {"status": "ok"})
        elif self.path == "/":
            self.answer(200, {"greeting": Path("greeting.txt").read_text(encoding="utf-8").strip()})
        elif self.path.startswith("/items/"):
            name, source = item(int(self.path.removeprefix("/items/")))
            self.answer(200 if name else 404, {"name": name}, source)
        else:
            self.answer(404, {"error": "no such page"})

    def do_POST(self) -> None:
        """Write one item."""
        wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        rows = sql("INSERT INTO item (name) VALUES (:name) RETURNING id", name=wanted["name"])
        self.answer(201, {"id": rows[0][0]})

    def answer(self, status: int, content: dict[str, object], source: str = "-") -> None:
        """Send JSON, and say in headers which container answered and whether the cache did."""
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Served-By", socket.gethostname())
        self.send_header("X-Cache", source)
        self.end_headers()
        self.wfile.write(body)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # PID 1 has no default for it: `stop` would wait 10 s
try:
    sql("CREATE TABLE IF NOT EXISTS item (id serial PRIMARY KEY, name text NOT NULL)")
except (pg8000.Error, OSError) as refused:
    sys.exit(f"cannot use the database {DATABASE.hostname} as user {DATABASE.username}: {refused}")
print("listening on 8080")
ThreadingHTTPServer(("", 8080), Api).serve_forever()
