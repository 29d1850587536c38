"""Datagrams go to and fro over a line: one end at a port of this machine, the other where the listener is."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from docker_tutor.engines.private.datagrams import DatagramRelay
from docker_tutor.engines.vm.datagrams import OverLine
from docker_tutor.engines.vm.line import Messages, written
from docker_tutor.engines.vm.peers import Peers

WITHIN_S = 10


@pytest.fixture
def listener() -> Iterator[tuple[str, int]]:
    """Answer in capitals, at an address of which the port is free elsewhere on the loopback."""
    with socket.socket(type=socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.2", 0))

        def serve() -> None:
            while (received := server.recvfrom(1 << 16))[0] != b"end":
                server.sendto(received[0].upper(), received[1])

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            client.sendto(b"end", server.getsockname())
        thread.join()


class Line:
    """Both ends in one process."""

    def __init__(self) -> None:
        self.ways = OverLine(self.inwards)
        self.peers = Peers(lambda message: self.ways.heard(next(Messages().feed(written(message)))))

    def inwards(self, message: dict[str, Any]) -> None:
        message = next(Messages().feed(written(message)))
        loop = asyncio.get_running_loop()
        for descriptor in self.peers.descriptors:
            loop.remove_reader(descriptor)
        if "datagram" in message:
            self.peers.carry(message)
        else:
            self.peers.forget(message["peer"])
        for descriptor in self.peers.descriptors:
            loop.add_reader(descriptor, self.peers.answer, [descriptor])


async def asked(port: int, *questions: bytes) -> list[bytes]:
    loop = asyncio.get_running_loop()
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.settimeout(0)
        client.connect(("127.0.0.1", port))
        answers = []
        for question in questions:
            await loop.sock_sendall(client, question)
            answers.append(await asyncio.wait_for(loop.sock_recv(client, 1 << 16), WITHIN_S))
        return answers


def test_each_client_gets_its_own_answers(listener: tuple[str, int]) -> None:
    async def talk() -> None:
        line = Line()
        relay = DatagramRelay(line.ways, *listener)
        await relay.open()
        long = b"x" * 60_000
        one, other = await asyncio.gather(asked(listener[1], b"a", b"b", long), asked(listener[1], b"c"))
        assert (one, other) == ([b"A", b"B", long.upper()], [b"C"])
        assert len(line.peers.descriptors) == 2
        relay.close()
        assert line.peers.descriptors == []

    asyncio.run(talk())


def test_a_datagram_that_nobody_takes_is_lost_and_nothing_else() -> None:
    async def talk() -> None:
        line = Line()
        with socket.socket(type=socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.2", 0))
            nobody = free.getsockname()
        way = await line.ways.way(nobody, lambda answer: pytest.fail(str(answer)))
        way.send(b"one")
        way.send(b"two")
        way.close()
        line.ways.heard({"peer": 1, "datagram": "bGF0ZQ=="})

    asyncio.run(talk())
