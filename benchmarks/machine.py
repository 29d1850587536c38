"""What a virtual machine costs over the private engine: starting, a container, a build, computing, javac, memory.

Both are instances of their own and are measured in turns, in one run.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.engine import instance
from benchmarks.memory import watched
from benchmarks.rows import Row, side_by_side
from docker_tutor.engines.base import Engine
from docker_tutor.engines.clients import sdk
from docker_tutor.engines.dialing import tls_folder
from docker_tutor.images import ensure
from docker_tutor.units import human_bytes

RUNS = 3
IMAGE, PYTHON, JAVA = "alpine:3.19", "python:3.11-slim", "eclipse-temurin:21-jdk-alpine"
DOCKERFILE = f"FROM {IMAGE}\nRUN echo one > /one\nRUN cat /one /one > /two\nRUN cat /two /two > /three\n"
COMPUTE = "import hashlib\nfor n in range(300_000): hashlib.sha256(b'%d' % n).digest()"
FORKS = "for n in $(seq 300); do /bin/true; done"
SOURCES = """\
mkdir /src && cd /src
for n in $(seq 150); do
    {
        echo "import java.util.*; import java.util.stream.*; public class C$n {"
        for m in 1 2; do
            echo "  static <T extends Comparable<T>> List<T> sorted$m(Collection<T> all) {"
            echo "    return all.stream().filter(x -> x.hashCode() % $m == 0).sorted().collect(Collectors.toList()); }"
            echo "  static Map<String, Integer> lengths$m() {"
            echo "    return Stream.of(\\"$n\\", \\"$m\\").collect(Collectors.toMap(s -> s, String::length)); }"
        done
        echo "}"
    } >C$n.java
done
"""
"""150 files for javac, with four methods each."""
COMPILE = f"{SOURCES}javac -d /out *.java"
JOBS = {
    "docker run --rm": ("run", "--rm", IMAGE, "true"),
    "a build of three steps": ("build", "--no-cache", "--quiet", "."),
    "a container that computes 300,000 × sha256": ("run", "--rm", PYTHON, "python", "-c", COMPUTE),
    "a container that forks and executes 300 times": ("run", "--rm", PYTHON, "sh", "-c", FORKS),
    "a container that compiles 150 files with javac": ("run", "--rm", JAVA, "sh", "-ec", COMPILE),
}


def rows() -> Iterator[Row]:
    """Measure; needs Linux and root, as the private engine does."""
    with (
        instance("bench", "private") as private,
        instance("benchvm", "uml") as machine,
        tempfile.TemporaryDirectory() as folder,
    ):
        for engine in (private, machine):
            engine.up()  # what has to be fetched and made is here from now on
        yield side_by_side(
            "virtual machine started again ÷ private engine started again",
            partial(_again, private),
            partial(_again, machine),
            runs=1,
        )
        Path(folder, "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
        for engine in (private, machine):
            client = sdk(engine.address, timeout=600)
            ensure(client, [IMAGE, PYTHON, JAVA], disposable=True)
            client.close()
        for name, words in JOBS.items():
            yield side_by_side(
                f"{name}: virtual machine ÷ private engine",
                partial(_docker, private, Path(folder), words),
                partial(_docker, machine, Path(folder), words),
                runs=RUNS,
            )
        yield Row(
            "most memory resident in these jobs: virtual machine ÷ private engine",
            _peak_bytes(private, Path(folder)),
            _peak_bytes(machine, Path(folder)),
            1,
            shown=human_bytes,
        )


def _peak_bytes(engine: Engine, folder: Path) -> int:
    """Carry out every job once more, on an engine that has only just started."""
    _again(engine)
    with watched(engine) as peak:
        for words in JOBS.values():
            _docker(engine, folder, words)
    return peak.resident_bytes


def _again(engine: Engine) -> None:
    engine.down()
    engine.up()


def _docker(engine: Engine, folder: Path, words: tuple[str, ...]) -> None:
    (folder / "config.json").write_text(json.dumps(dict(engine.tools.config)), encoding="utf-8")
    path = os.pathsep.join([*map(str, engine.tools.path), os.environ["PATH"]])
    variables = {"DOCKER_HOST": engine.address.partition("?")[0], "DOCKER_CONFIG": str(folder), "PATH": path}
    if certificates := tls_folder(engine.address):
        variables |= {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(certificates)}
    subprocess.run(["docker", *words], env=os.environ | variables, cwd=folder, check=True, stdout=subprocess.DEVNULL)
