"""Gateway ÷ direct: one API call, and one whole container run. Both ways in turn, in one run.

    python -m benchmarks.gateway [unix:///path/of/a/docker.sock] [--image NAME] [--runs N]

Uses the course's engine when no address is given. Goals: ≤ 1 ms more for a call, ≤ 3 % more for a container.
"""

import argparse
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
from rich.console import Console
from rich.table import Table

from benchmarks.rows import Row
from docker_tutor import images
from docker_tutor.dev import testengine
from docker_tutor.gateway import Gateway

IMAGE = "alpine:3.19"


def rows() -> Iterator[Row]:
    """Measure on the test engine, for the table of all benchmarks."""
    with (
        testengine.running() as engine,
        tempfile.TemporaryDirectory() as folder,
        Gateway.start(engine.address, f"bench-{uuid.uuid4().hex[:4]}", Path(folder)) as gateway,
    ):
        direct, through = docker.DockerClient(engine.address), docker.DockerClient(gateway.address)
        images.ensure(direct, [IMAGE], disposable=engine.disposable)
        calls = _measure(direct, through, lambda client: client.ping(), 400)
        runs = _measure(direct, through, lambda client: _container(client, IMAGE), 30)
        direct.close()
        through.close()
    plain_s, ours_s = map(statistics.median, calls)
    yield Row("one call through the gateway ÷ direct", plain_s, ours_s, len(calls[0]), at_most_more_s=1e-3)
    plain_s, ours_s = map(statistics.median, runs)
    yield Row("one container through the gateway ÷ direct", plain_s, ours_s, len(runs[0]), at_most=1.03)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address", nargs="?", default=os.environ.get("DOCKER_HOST"))
    parser.add_argument("--image", default="debian:12-slim")
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--runs", type=int, default=20)
    wanted = parser.parse_args()
    address = wanted.address or _engine()
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        gateway = Gateway.start(address, f"bench-{uuid.uuid4().hex[:4]}", Path(folder))
        start_s = time.perf_counter() - started
        try:
            direct, through = docker.DockerClient(address), docker.DockerClient(gateway.address)
            rows = {
                "GET /_ping": _measure(direct, through, lambda client: client.ping(), wanted.calls),
                "GET /containers/json": _measure(direct, through, lambda client: client.api.containers(), wanted.calls),
                "container: create, start, wait, remove": _measure(
                    direct, through, lambda client: _container(client, wanted.image), wanted.runs
                ),
            }
            direct.close()
            through.close()
        finally:
            gateway.close()
    _print(rows, start_s)


def _engine() -> str:
    from docker_tutor import engines

    engine = engines.resolve()
    engine.up()
    return engine.address


def _container(client: docker.DockerClient, image: str) -> None:
    container = client.containers.create(image, ["true"])
    container.start()
    container.wait()
    container.remove()


Pair = tuple[list[float], list[float]]


def _measure(
    direct: docker.DockerClient, through: docker.DockerClient, work: Callable[[docker.DockerClient], object], times: int
) -> Pair:
    pair: Pair = ([], [])
    for turn in range(times + 1):
        # Who goes first alternates, so that what one leaves warm helps both.
        for index in (0, 1) if turn % 2 else (1, 0):
            began = time.perf_counter()
            work((direct, through)[index])
            if turn:  # the first turn warms up
                pair[index].append(time.perf_counter() - began)
    return pair


def _print(rows: dict[str, Pair], start_s: float) -> None:
    table = Table(title=f"Gateway ÷ direct (medians; the gateway started in {start_s:.2f} s)")
    for heading in ("what", "times", "direct ms", "gateway ms", "more ms", "ratio"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for what, (direct, through) in rows.items():
        plain, passed = statistics.median(direct) * 1e3, statistics.median(through) * 1e3
        more, ratio = f"{passed - plain:.2f}", f"{passed / plain:.3f}"
        table.add_row(what, str(len(direct)), f"{plain:.2f}", f"{passed:.2f}", more, ratio)
    Console().print(table)


if __name__ == "__main__":
    main()
