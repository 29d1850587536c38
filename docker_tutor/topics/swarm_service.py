"""A service spread over two machines, one of which loses its daemon: where its tasks run, moment by moment.

Source: Docker's "Swarm mode overview" and the reference of `docker service create`.
"""

import time
from collections import Counter
from dataclasses import dataclass
from threading import Event

import pandas as pd

from docker_tutor.errors import WaitTimedOut
from docker_tutor.i18n import _
from docker_tutor.processes import Process
from docker_tutor.topics.swarm import IMAGE, NETWORK, Pair, until

__all__ = ["Failover", "Sample", "failover"]

_WITHIN_S = 45
_PROGRAM = ("sh", "-c", "trap 'exit 0' TERM; sleep 3600 & wait")


@dataclass(frozen=True, slots=True)
class Sample:
    """What the manager said at one moment."""

    after_s: float
    """Since the second machine's daemon was killed."""
    first: int
    """Tasks that run on the first machine, to the manager's knowledge."""
    second: int
    node: str
    """The second machine's state: `ready` or `down`."""


@dataclass(frozen=True, slots=True)
class Failover:
    """A service's tasks before, while and after the second machine's daemon was gone."""

    replicas: int
    before: tuple[int, int]
    """Tasks on the first and on the second machine."""
    down_after_s: float
    """When the manager counted the second machine as down."""
    moved_after_s: float
    """When all replicas ran on the first machine."""
    lived_on: int
    """Containers of the second machine that still ran when they had been replaced."""
    after_return: tuple[int, int]
    """Tasks on either machine once the second one was back."""
    names: tuple[str, ...]
    """Addresses that the service's name stands for, asked before the kill: one for each task (`dnsrr`)."""
    samples: tuple[Sample, ...]

    @property
    def after(self) -> tuple[int, int]:
        """Tasks on either machine at the last sample."""
        return self.samples[-1].first, self.samples[-1].second

    @property
    def named(self) -> int:
        """How many addresses the service's name stood for."""
        return len(self.names)

    def to_frame(self) -> pd.DataFrame:
        """Return the samples at which something changed."""
        rows: list[Sample] = []
        for each in self.samples:
            if not rows or (each.first, each.second, each.node) != (rows[-1].first, rows[-1].second, rows[-1].node):
                rows.append(each)
        return pd.DataFrame(
            {
                _("after the kill (s)"): [round(each.after_s, 1) for each in rows],
                _("on the first machine"): [each.first for each in rows],
                _("on the second machine"): [each.second for each in rows],
                _("second machine"): [each.node for each in rows],
            }
        )


def failover(pair: Pair, replicas: int = 4) -> Failover:
    """Run a service of `replicas` tasks on both machines, kill the second one's daemon, start it again.

    The containers of the killed daemon live on until it is back: to the manager they are lost, so it has others
    started. Raises WaitTimedOut, CommandFailed.
    """
    pair.join()
    name = pair.first.unique("steady")
    first, second = pair.node_ids()
    options = ("--replicas", str(replicas), "--endpoint-mode", "dnsrr", "--network", NETWORK)
    # Without a registry to ask for the image's digest, the image that either machine has is taken.
    pair.first.cli("service", "create", "--detach", "--no-resolve-image", "--name", name, *options, IMAGE, *_PROGRAM)
    try:
        until(lambda: sum(_running(pair, name).values()) == replicas, _("The service"), within_s=_WITHIN_S)
        counts = _running(pair, name)
        names = _addresses(pair, name, replicas)
        left = _processes(pair, name)
        pair.second.engine.kill_daemon()
        samples = _watch(pair, name, replicas, (first, second))
        lived_on = sum(process.alive for process in left)
        pair.second.engine.start_daemon()
        until(lambda: _state(pair, second) == "ready", _("The second machine's return"), within_s=_WITHIN_S)
        until(lambda: not _processes(pair, name), _("The end of the containers left over"), within_s=_WITHIN_S)
        back = _running(pair, name)
    finally:
        pair.first.cli("service", "rm", name)
    down = next(each.after_s for each in samples if each.node == "down")
    return Failover(
        replicas,
        (counts[first], counts[second]),
        down,
        samples[-1].after_s,
        lived_on,
        (back[first], back[second]),
        names,
        samples,
    )


def _running(pair: Pair, name: str) -> Counter[str]:
    """Count the service's running tasks by the node's id, as the manager has them."""
    tasks = pair.first.api.tasks(filters={"service": name, "desired-state": "running"})
    return Counter(str(task["NodeID"]) for task in tasks if task["Status"]["State"] == "running")


def _state(pair: Pair, node: str) -> str:
    return str(pair.first.api.inspect_node(node)["Status"]["State"])


def _addresses(pair: Pair, name: str, count: int) -> tuple[str, ...]:
    """Ask the name server inside one of the service's tasks for the service's name."""
    task = pair.first.api.containers(filters={"label": f"com.docker.swarm.service.name={name}"})[0]["Id"]

    def asked() -> tuple[str, ...]:
        said = pair.first.cli("exec", task, "nslookup", name, "127.0.0.11", check=False).stdout
        lines = [line.split()[-1] for line in said.splitlines() if line.startswith("Address")]
        found = tuple(sorted({line for line in lines if not line.startswith("127.")}))
        return found if len(found) == count else ()

    return until(asked, _("An address for every task"))


def _processes(pair: Pair, name: str) -> list[Process]:
    """Return the first processes of the service's containers on the second machine."""
    api = pair.second.api
    containers = api.containers(filters={"label": f"com.docker.swarm.service.name={name}"})
    found = [Process.of(int(api.inspect_container(each["Id"])["State"]["Pid"])) for each in containers]
    return [process for process in found if process]


def _watch(pair: Pair, name: str, replicas: int, nodes: tuple[str, str]) -> tuple[Sample, ...]:
    """Look at the tasks until all of them run on the first machine."""
    began, never, samples = time.monotonic(), Event(), list[Sample]()
    while True:
        counts, node = _running(pair, name), _state(pair, nodes[1])
        # The manager leaves a lost node's tasks at the last state it heard of until it counts the node as down.
        second = counts[nodes[1]] if node == "ready" else 0
        samples.append(Sample(time.monotonic() - began, counts[nodes[0]], second, node))
        if node == "down" and counts[nodes[0]] == replicas:
            return tuple(samples)
        if time.monotonic() - began > _WITHIN_S:
            message = _("The tasks have not moved within {seconds} s.")
            raise WaitTimedOut(message.format(seconds=_WITHIN_S))
        never.wait(0.2)  # polling: the manager's events say that a node is down, and not where its tasks are then
