"""A terminal with a scope of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import docker
import pexpect
import pytest
from waiting import until

from docker_tutor import images
from docker_tutor.classroom import shell
from docker_tutor.engines.base import Engine
from docker_tutor.errors import CommandFailed
from docker_tutor.gateway import cleanup
from docker_tutor.gateway.labels import SCOPE

pytestmark = pytest.mark.engine

IMAGE = "alpine:3.19"
SHELL = "import sys; from docker_tutor.classroom import shell; sys.exit(shell.run(sys.argv[1:]))"
MAKE = f"docker run -d --name web {IMAGE} sleep 600"


@pytest.fixture
def direct(engine: Engine) -> Iterator[docker.DockerClient]:
    client = docker.DockerClient(base_url=engine.address)
    images.ensure(client, [IMAGE], disposable=True)
    yield client
    client.close()


def web(client: docker.DockerClient) -> list[str]:
    # The list alone: the SDK's own also inspects each, and one may be removed in between.
    found = client.api.containers(all=True, filters={"label": SCOPE})
    return [one["Id"] for one in found if one["Labels"][SCOPE].startswith("shell-")]


def shells() -> list[str]:
    return [entry.scope for entry in cleanup.live_scopes() if entry.scope.startswith("shell-")]


def test_a_command_runs_in_a_scope_of_its_own_and_its_status_comes_back(direct: docker.DockerClient) -> None:
    assert shell.run(["bash", "-ec", f"{MAKE} >/dev/null; docker inspect web >/dev/null; exit 3"]) == 3
    assert web(direct) == []
    assert shells() == []


def test_a_death_by_signal_is_told_as_shells_tell_it(direct: docker.DockerClient) -> None:
    assert shell.run(["sh", "-c", "kill -KILL $$"]) == 137


def test_a_program_that_is_not_there_is_one_clear_error(direct: docker.DockerClient) -> None:
    with pytest.raises(CommandFailed, match="There is no program `no-such-shell`"):
        shell.run(["no-such-shell"])
    assert shells() == []


def test_a_person_types_in_it(direct: docker.DockerClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/sh")
    monkeypatch.setenv("PS1", "$ ")
    terminal = pexpect.spawn(sys.executable, ["-c", SHELL], timeout=60, encoding="utf-8")
    try:
        terminal.expect_exact("$ ")
        terminal.sendline(f"docker run --rm -it {IMAGE} sh -c 'test -t 0 && echo a ter''minal'")
        terminal.expect_exact("a terminal")
        terminal.expect_exact("$ ")
        # The program itself says that it runs: Ctrl-C before the shell has given it the terminal would go elsewhere.
        terminal.sendline("sh -c 'echo sleep\"\"ing; exec sleep 600'")
        terminal.expect_exact("sleeping")
        terminal.sendintr()
        terminal.expect_exact("$ ")
        terminal.sendline("echo still he''re")
        terminal.expect_exact("still here")
        terminal.sendline(f"{MAKE}; exit 5")
        terminal.expect(pexpect.EOF)
        terminal.wait()
        assert terminal.exitstatus == 5
    finally:
        terminal.close(force=True)
    assert web(direct) == []


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGKILL])
def test_a_terminal_that_is_closed_leaves_nothing(number: signal.Signals, direct: docker.DockerClient) -> None:
    # `docker run -d` writes the id before the container is started, hence a word of our own.
    command = [sys.executable, "-c", SHELL, "sh", "-c", f"{MAKE} >/dev/null; echo made; exec sleep 600"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "made\n"
    assert len(web(direct)) == 1
    process.send_signal(number)
    process.wait()
    try:
        assert until(lambda: web(direct) == [] and shells() == [])
    finally:
        with suppress(ProcessLookupError):  # a closed terminal would have ended the shell as well
            os.killpg(process.pid, signal.SIGKILL)
        process.stdout.close()
