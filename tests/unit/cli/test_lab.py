"""When JupyterLab counts as serving."""

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from docker_tutor import paths
from docker_tutor.cli.lab import Lab
from docker_tutor.errors import CourseError

TELLS_BEFORE_IT_LISTENS = """
import signal, socket, sys
port = int(sys.argv[1])
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
print(f"[I ServerApp] http://127.0.0.1:{port}/lab?token=...", file=sys.stderr, flush=True)
signal.sigwait([signal.SIGUSR1])
with socket.create_server(("127.0.0.1", port)) as server:
    while True:
        server.accept()[0].close()
"""
TELLS_AND_ENDS = 'import sys; print("http://127.0.0.1:9/lab", file=sys.stderr)'


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setattr(paths, "runtime_folder", lambda: tmp_path)
    monkeypatch.setattr(paths, "jupyter_environment", lambda: {"JUPYTERLAB_SETTINGS_DIR": str(tmp_path)})
    return Lab(tmp_path)


def plays(lab: Lab, program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    monkeypatch.setattr(Lab, "_command", lambda self: [sys.executable, "-c", program, port])


def test_an_address_that_is_told_takes_calls(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    plays(lab, TELLS_BEFORE_IT_LISTENS, monkeypatch)
    connect = socket.create_connection

    def once_refused(address: tuple[str, int], timeout: float) -> socket.socket:
        try:
            return connect(address, timeout)
        except ConnectionRefusedError:
            lab.process.send_signal(signal.SIGUSR1)
            raise

    monkeypatch.setattr(socket, "create_connection", once_refused)
    try:
        lab.start(os.environ)
        port = int(lab.url.partition("/lab")[0].rpartition(":")[2])
        connect(("127.0.0.1", port), timeout=5).close()
    finally:
        lab.stop()


def test_one_that_ends_before_it_listens_has_not_started(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    plays(lab, TELLS_AND_ENDS, monkeypatch)
    with pytest.raises(CourseError, match="did not start"):
        lab.start(os.environ)
