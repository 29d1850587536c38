"""What QEMU says is understood in whatever order and pieces it comes."""

import asyncio
import json
import socket
from collections.abc import Iterator

import pytest

from docker_tutor.engines.vm.qmp import Control, QemuRefused

GREETING = {"QMP": {"version": {}, "capabilities": []}}


def said(*messages: object) -> bytes:
    return b"".join(json.dumps(message).encode() + b"\r\n" for message in messages)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, qemus = socket.socketpair()
    with ours, qemus:
        yield ours, qemus


def test_an_answer_is_found_among_events_and_those_are_kept(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, qemus = ends
    over = {"event": "MIGRATION", "data": {"status": "completed"}}
    begun = {"event": "MIGRATION", "data": {"status": "setup"}}
    qemus.sendall(said(GREETING, begun, {"event": "STOP"}, over, {"return": {"a": 1}}))

    async def talk() -> tuple[object, str]:
        control = Control(ours)
        answer = await control.do("migrate", uri="file:/x", max_bandwidth=1)
        return answer, await control.until("MIGRATION", ("completed", "failed"))

    assert asyncio.run(talk()) == ({"a": 1}, "completed")
    asked = json.loads(qemus.recv(1000))
    assert asked == {"execute": "migrate", "arguments": {"uri": "file:/x", "max-bandwidth": 1}}


def test_a_refusal_says_why(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, qemus = ends
    qemus.sendall(said({"error": {"class": "GenericError", "desc": "not now"}}))
    with pytest.raises(QemuRefused, match="not now"):
        asyncio.run(Control(ours).do("cont"))


def test_its_end_is_noticed(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, qemus = ends
    qemus.sendall(said(GREETING))
    qemus.shutdown(socket.SHUT_WR)
    with pytest.raises(EOFError):
        asyncio.run(Control(ours).begin())
