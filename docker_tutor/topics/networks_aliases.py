"""One name for several containers: the alias, the order of its answers, and who gets the connections."""

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import pandas as pd

from docker_tutor.classroom.room import Room
from docker_tutor.i18n import _
from docker_tutor.topics import networks_bridge, networks_names, probes

__all__ = ["Alias", "aliases"]

_SERVE = """
import http.server, os
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["WHO"].encode())
    def log_message(self, *words):
        pass
server = http.server.ThreadingHTTPServer(("", 80), Answer)
print("serving", flush=True)
server.serve_forever()
"""

_CALL = """
import json, sys, urllib.request
def call(name):
    try:
        return urllib.request.urlopen(f"http://{name}/", timeout=5).read().decode()
    except OSError:
        return None
print(json.dumps([call(sys.argv[1]) for _ in range(int(sys.argv[2]))]))
"""


@dataclass(frozen=True, slots=True)
class Alias:
    """What became of many questions and many calls to one alias."""

    alias: str
    servers: Mapping[str, str]
    """Container → its address on the network."""
    questions: int
    addresses: frozenset[str]
    """Every address that was in some answer."""
    first_answers: Mapping[str, int]
    """Container → how often its address stood first in the name server's reply."""
    calls: Mapping[str, int]
    """Container → how many of as many HTTP requests to the alias it answered."""

    @property
    def complete(self) -> bool:
        """Whether the answers name every container of the alias, and nobody else."""
        return self.addresses == frozenset(self.servers.values())

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each container: how often its address stood first, and how many requests it answered."""
        rows = [
            (name, address, self.first_answers.get(name, 0), self.calls.get(name, 0))
            for name, address in self.servers.items()
        ]
        columns = [_("container"), _("address"), _("first in the answer"), _("requests answered")]
        return pd.DataFrame(rows, columns=columns)


def aliases(room: Room, *, containers: int = 3, questions: int = 60) -> Alias:
    """Give several web servers one alias, ask for it and call it many times, and count who was first and who answered.

    Source: `docker network connect`, network-scoped alias. Raises CommandFailed.
    """
    alias = "site"
    with networks_bridge.user_bridge(room, name="alias-bridge") as (network, _chosen), ExitStack() as stack:
        names = [f"site-{number}" for number in range(1, containers + 1)]
        made = {}
        for name in names:
            options = (f"--network={network}", f"--network-alias={alias}", f"--env=WHO={name}")
            serve = ("python", "-c", _SERVE)
            made[name] = stack.enter_context(probes.running(room, name, *options, command=serve))
        client = stack.enter_context(probes.running(room, "caller", f"--network={network}"))
        for name in made.values():
            room.wait.log(room.client.containers.get(name), "serving", within_s=30)
        replies = networks_names.ask_dns(room, client, alias, times=questions)
        called = probes.ask(room, client, _CALL, alias, str(questions))
        attached = {
            name: room.api.inspect_container(real)["NetworkSettings"]["Networks"] for name, real in made.items()
        }
    servers = {name: networks[network]["IPAddress"] for name, networks in attached.items()}
    owners = {address: name for name, address in servers.items()}
    first = Counter(owners.get(reply.answers[0], "?") for reply in replies if reply.answers)
    calls = Counter(who for who in called if who)
    everyone = frozenset(address for reply in replies for address in reply.answers)
    return Alias(alias, servers, questions, everyone, first, calls)
