"""How long until the private engine answers, beside a plain dockerd of the same packages; and the second time.

Runs in instances and folders of its own. The first `up` with an empty cache fetches the packages anew.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.rows import Row, side_by_side
from docker_tutor import engines
from docker_tutor.engines.base import Engine

RUNS = 5
ANSWERS_WITHIN_S = 60


def rows() -> Iterator[Row]:
    """Measure; needs Linux and root."""
    with instance("bench") as engine:
        engine.up()  # the packages are here from now on
        # Resolved while it is up: some are links that belong to the running engine.
        programs = {name: (path, path.resolve()) for name, path in engine.tools.programs.items()}
        environment = dict(engine.tools.environment)
        engine.down(purge=True)
        yield side_by_side(
            "private engine ready ÷ plain dockerd ready (empty data)",
            lambda: _plain(programs, environment),
            lambda: _private(engine),
            runs=RUNS,
            at_most=1.3,
        )
        engine.up()
        began = time.perf_counter()
        engine.up()
        again_s = time.perf_counter() - began
        engine.down()
        began = time.perf_counter()
        engine.up()
        second_s = time.perf_counter() - began
        engine.down(purge=True)
    with tempfile.TemporaryDirectory() as cache, _variable("XDG_CACHE_HOME", cache), instance("bench1") as engine:
        began = time.perf_counter()
        engine.up()
        first_s = time.perf_counter() - began
        engine.down(purge=True)
    yield Row("second up (after down) ÷ first up (packages fetched)", first_s, second_s, 1)
    yield Row("up of an engine that is up ÷ second up", second_s, again_s, 1)


def _private(engine: Engine) -> float:
    began = time.perf_counter()
    engine.up()
    ready_s = time.perf_counter() - began
    engine.down(purge=True)
    return ready_s


def _plain(programs: dict[str, tuple[Path, Path]], environment: dict[str, str]) -> float:
    """Start dockerd as one would by hand, in a network namespace so that the machine's own rules stay, and stop it."""
    with tempfile.TemporaryDirectory(prefix="plain-") as folder:
        place = Path(folder, "docker.sock")
        for name, (_path, program) in programs.items():
            Path(folder, name).symlink_to(program)
        own = [folder, *{str(program.parent) for _path, program in programs.values()}]
        path = os.pathsep.join([*own, os.environ["PATH"]])
        words = ["unshare", "--net", "--uts", "dockerd", f"--host=unix://{place}"]
        words += [f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid"]
        began = time.perf_counter()
        with Path(folder, "log").open("wb") as log:
            daemon = subprocess.Popen(words, env=os.environ | environment | {"PATH": path}, stdout=log, stderr=log)
            try:
                _await_answer(place, daemon)
                return time.perf_counter() - began
            except TimeoutError as late:
                late.add_note(Path(folder, "log").read_text(errors="replace")[-2000:])
                raise
            finally:
                daemon.terminate()
                daemon.wait()


def _await_answer(place: Path, daemon: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + ANSWERS_WITHIN_S
    while time.monotonic() < deadline and daemon.poll() is None:
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.connect(str(place))
                line.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                if b" 200 " in line.recv(64):
                    return
        except OSError:
            # A plain dockerd tells nobody but systemd that it is ready: asking again is the only way.
            time.sleep(0.005)
    raise TimeoutError("the plain dockerd did not answer")


@contextmanager
def instance(name: str, kind: str = "private") -> Iterator[Engine]:
    """Have an engine of this kind in an instance of its own for a `with` block; nothing is left of it."""
    with _variable("DOCKER_TUTOR_INSTANCE", f"{name}{os.getpid()}"):
        engine = engines.resolve(kind)
        try:
            yield engine
        finally:
            engine.down(purge=True)
            from docker_tutor import paths

            for folder in (paths.data_folder(), paths.runtime_folder()):
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
