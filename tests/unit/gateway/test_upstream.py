import asyncio
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from docker_tutor.errors import GatewayError
from docker_tutor.gateway.daemon import Daemon
from docker_tutor.gateway.upstream import Connector

SSH = f"""#!{sys.executable}
import pathlib, select, socket, sys, os
pathlib.Path(__file__).with_suffix(".words").write_text(" ".join(sys.argv[1:]))
sock = socket.create_connection(("127.0.0.1", int(os.environ["FAR_PORT"])))
while True:
    for ready in select.select([0, sock], [], [])[0]:
        data = os.read(0, 65536) if ready == 0 else sock.recv(65536)
        if not data:
            sys.exit()
        sock.sendall(data) if ready == 0 else os.write(1, data)
"""


async def answer_two(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Play a daemon that answers twice on one connection."""
    for _time in range(2):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"a": 1}')
    await writer.drain()
    writer.close()


def ask_over_tcp(monkeypatch: pytest.MonkeyPatch, address: Callable[[int], str]) -> None:
    async def play() -> None:
        listening = await asyncio.start_server(answer_two, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        monkeypatch.setenv("FAR_PORT", str(port))
        daemon = Daemon(Connector(address(port)))
        for _time in range(2):
            assert (await daemon.call("GET", "/info")).json() == {"a": 1}
        await daemon.close()
        listening.close()
        for process in started:
            await process.wait()

    started: list[asyncio.subprocess.Process] = []
    start = asyncio.create_subprocess_exec

    async def remembered(*words: Any, **options: Any) -> asyncio.subprocess.Process:
        started.append(await start(*words, **options))
        return started[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", remembered)
    asyncio.run(asyncio.wait_for(play(), 20))


def test_a_daemon_is_asked_over_tcp(monkeypatch: pytest.MonkeyPatch) -> None:
    ask_over_tcp(monkeypatch, lambda port: f"tcp://127.0.0.1:{port}")


def test_a_daemon_is_asked_through_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "ssh"
    program.write_text(SSH)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    ask_over_tcp(monkeypatch, lambda _port: "ssh://me@far:2222")
    assert (tmp_path / "ssh.words").read_text() == "-T -o BatchMode=yes -l me -p 2222 -- far docker system dial-stdio"


@pytest.mark.parametrize("address", ["", "nonsense", "tcp://", "ftp://x"])
def test_an_address_that_is_none_is_a_clear_error(address: str) -> None:
    with pytest.raises(GatewayError, match="no address"):
        asyncio.run(Connector(address).open())
