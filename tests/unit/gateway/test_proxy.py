"""The proxy between a client and a daemon that are both played by the test."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from docker_tutor.gateway.records import read_calls
from docker_tutor.gateway.server import SOCKET_FILE, Server
from docker_tutor.gateway.upstream import Connector

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Daemon = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def talk(folder: Path, daemon: Daemon, client: Callable[[Streams, Server], Awaitable[None]]) -> None:
    """Let a client talk to a daemon through a gateway, and end without a connection left over."""

    async def play() -> None:
        over: list[asyncio.StreamWriter] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            over.append(writer)
            try:
                await daemon(reader, writer)
            finally:
                writer.close()

        listening = await asyncio.start_unix_server(serve, folder / "daemon.sock")
        server = Server(Connector(f"unix://{folder}/daemon.sock"), "t-1", "me", folder)
        await server.open()
        streams = await asyncio.open_unix_connection(folder / SOCKET_FILE)
        try:
            await client(streams, server)
        finally:
            streams[1].close()
            if server._serving:
                await asyncio.wait(list(server._serving), timeout=5)
            assert not server._serving
            server._listening.close()
            server.journal.close()
            await server.rules.daemon.close()
            listening.close()

    asyncio.run(asyncio.wait_for(play(), 20))


async def read_head(reader: asyncio.StreamReader) -> str:
    return (await reader.readuntil(b"\r\n\r\n")).decode()


def answering(*answers: bytes) -> Daemon:
    """Answer one request after the other on one connection, with these bytes."""

    async def daemon(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await read_head(reader)
            writer.write(answer)
            await writer.drain()

    return daemon


def test_two_requests_share_a_connection_and_are_recorded(tmp_path: Path) -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

    async def client(streams: Streams, _server: Server) -> None:
        for _time in range(2):
            streams[1].write(b"GET /info?x=1 HTTP/1.1\r\nHost: d\r\nUser-Agent: me/1\r\n\r\n")
            assert "200 OK" in await read_head(streams[0])
            assert await streams[0].readexactly(2) == b"hi"
        calls = read_calls(tmp_path)
        assert [(c.path, c.status, c.response_bytes, c.agent) for c in calls] == 2 * [("/info?x=1", 200, 2, "me/1")]

    talk(tmp_path, answering(ok, ok), client)


def test_requests_sent_ahead_are_answered_in_turn(tmp_path: Path) -> None:
    async def client(streams: Streams, _server: Server) -> None:
        streams[1].write(2 * b"GET /a HTTP/1.1\r\nHost: d\r\n\r\n")
        for body in (b"1", b"2"):
            await read_head(streams[0])
            assert await streams[0].readexactly(1) == body

    answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + body for body in (b"1", b"2")]
    talk(tmp_path, answering(*answers), client)


def test_an_answer_to_head_has_no_body_and_the_next_one_is_found(tmp_path: Path) -> None:
    async def client(streams: Streams, _server: Server) -> None:
        streams[1].write(b"HEAD /_ping HTTP/1.1\r\nHost: d\r\n\r\n")
        assert "Content-Length: 5" in await read_head(streams[0])
        streams[1].write(b"GET /x HTTP/1.1\r\nHost: d\r\n\r\n")
        assert "204" in await read_head(streams[0])

    answers = (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n")
    talk(tmp_path, answering(*answers), client)


def test_chunks_pass_as_they_come(tmp_path: Path) -> None:
    go = asyncio.Event()

    async def daemon(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        await go.wait()
        writer.write(b"3\r\ntwo\r\n0\r\n\r\n")
        await writer.drain()

    async def client(streams: Streams, _server: Server) -> None:
        streams[1].write(b"GET /events HTTP/1.1\r\nHost: d\r\n\r\n")
        await read_head(streams[0])
        assert await streams[0].readexactly(8) == b"3\r\none\r\n"  # before the daemon is allowed to go on
        go.set()
        assert await streams[0].readexactly(13) == b"3\r\ntwo\r\n0\r\n\r\n"

    talk(tmp_path, daemon, client)


def test_a_client_of_http_1_0_gets_no_chunks(tmp_path: Path) -> None:
    async def client(streams: Streams, _server: Server) -> None:
        streams[1].write(b"GET /x HTTP/1.0\r\n\r\n")
        assert "chunked" not in await read_head(streams[0])
        assert await streams[0].read() == b"one"

    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n"
    talk(tmp_path, answering(answer), client)


def test_an_answer_that_breaks_off_is_seen_to_break_off(tmp_path: Path) -> None:
    async def client(streams: Streams, _server: Server) -> None:
        streams[1].write(b"GET /x HTTP/1.1\r\nHost: d\r\n\r\n")
        await read_head(streams[0])
        try:
            assert await streams[0].read() == b"half"
        except ConnectionError:
            return

    talk(tmp_path, answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), client)


def test_a_client_that_leaves_ends_its_question_at_once(tmp_path: Path) -> None:
    asked, ended = asyncio.Event(), asyncio.Event()

    async def daemon(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        asked.set()
        assert await reader.read() == b""
        ended.set()

    async def client(streams: Streams, server: Server) -> None:
        streams[1].write(b"POST /containers/x/wait HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n")
        await asked.wait()
        streams[1].close()
        await asyncio.wait_for(ended.wait(), 5)

    talk(tmp_path, daemon, client)


def test_an_early_answer_to_a_long_body_arrives(tmp_path: Path) -> None:
    async def daemon(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbad")
        await writer.drain()

    async def client(streams: Streams, _server: Server) -> None:
        streams[1].write(b"POST /images/load HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n")
        assert "400" in await read_head(streams[0])
        assert await streams[0].readexactly(3) == b"bad"

    talk(tmp_path, daemon, client)


@pytest.mark.parametrize(("head", "status"), [(b"101 UPGRADED\r\nUpgrade: tcp", 101), (b"200 OK", 200)])
def test_a_taken_over_connection_carries_bytes_and_half_closes(tmp_path: Path, head: bytes, status: int) -> None:
    async def daemon(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        connection = b"Connection: Upgrade\r\n" if status == 101 else b""
        writer.write(b"HTTP/1.1 " + head + b"\r\n" + connection + b"\r\nwelcome ")
        given = await reader.read()  # to the end of input
        writer.write(given.upper())
        await writer.drain()

    async def client(streams: Streams, _server: Server) -> None:
        upgrade = b"Connection: Upgrade\r\nUpgrade: tcp\r\n" if status == 101 else b""
        streams[1].write(b"POST /containers/x/attach HTTP/1.1\r\nHost: d\r\n" + upgrade + b"\r\nearly ")
        await read_head(streams[0])
        streams[1].write(b"late")
        streams[1].write_eof()
        assert await streams[0].read() == b"welcome EARLY LATE"
        call = read_calls(tmp_path)[0]
        assert (call.status, call.upgraded, call.request_bytes) == (status, True, len(b"early late"))

    talk(tmp_path, daemon, client)


def test_creates_are_labelled_and_everything_else_in_them_stays(tmp_path: Path) -> None:
    asked: list[dict[str, object]] = []

    async def daemon(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_head(reader)
        length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
        asked.append(json.loads(await reader.readexactly(length)))
        writer.write(b'HTTP/1.1 201 Created\r\nContent-Length: 12\r\n\r\n{"Id":"abc"}')
        await writer.drain()

    async def client(streams: Streams, _server: Server) -> None:
        body = json.dumps({"Image": "x", "Labels": {"a": "b"}, "Other": [1]}).encode()
        streams[1].write(b"POST /v1.45/containers/create HTTP/1.1\r\nHost: d\r\n")
        streams[1].write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert "201" in await read_head(streams[0])
        expected = {"a": "b", "docker-tutor.scope": "t-1", "docker-tutor.owner": "me"}
        assert asked == [{"Image": "x", "Labels": expected, "Other": [1]}]

    talk(tmp_path, daemon, client)


@pytest.mark.parametrize("body", [b"{no json", b"[1, 2"])
def test_a_create_that_is_no_json_is_refused_and_the_connection_goes_on(tmp_path: Path, body: bytes) -> None:
    async def client(streams: Streams, _server: Server) -> None:
        streams[1].write(b"POST /volumes/create HTTP/1.1\r\nHost: d\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        head = await read_head(streams[0])
        assert "400" in head
        await streams[0].readexactly(int(head.split("Content-Length: ")[1].split("\r\n")[0]))
        streams[1].write(b"GET /x HTTP/1.1\r\nHost: d\r\n\r\n")
        assert "200" in await read_head(streams[0])

    talk(tmp_path, answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), client)


def test_a_daemon_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    async def client(streams: Streams, _server: Server) -> None:
        (tmp_path / "daemon.sock").unlink()
        streams[1].write(b"GET /info HTTP/1.1\r\nHost: d\r\n\r\n")
        head = await read_head(streams[0])
        assert "503" in head

    talk(tmp_path, answering(), client)


def test_the_socket_is_its_owners_alone(tmp_path: Path) -> None:
    async def client(streams: Streams, _server: Server) -> None:
        assert (tmp_path / SOCKET_FILE).stat().st_mode & 0o777 == 0o600
        streams[1].write(b"GET /x HTTP/1.1\r\nHost: d\r\n\r\n")
        assert "204" in await read_head(streams[0])

    talk(tmp_path, answering(b"HTTP/1.1 204 No Content\r\n\r\n"), client)


def test_who_asks_before_sending_a_body_that_we_read_ourselves_is_invited(tmp_path: Path) -> None:
    async def client(streams: Streams, _server: Server) -> None:
        streams[1].write(
            b"POST /volumes/create HTTP/1.1\r\nHost: d\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        )
        assert "100 Continue" in await read_head(streams[0])
        streams[1].write(b"{}")
        assert "201" in await read_head(streams[0])

    async def daemon(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert "expect" not in (await read_head(reader)).lower()
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    talk(tmp_path, daemon, client)


def test_what_the_daemon_said_before_it_hung_up_is_heard_while_the_client_still_sends(tmp_path: Path) -> None:
    async def daemon(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n" + bytes(200_000))
        await writer.drain()

    async def client(streams: Streams, _server: Server) -> None:
        streams[1].write(
            b"POST /containers/x/attach HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        )
        streams[1].write(bytes(5_000_000))
        await read_head(streams[0])
        assert len(await streams[0].readexactly(200_000)) == 200_000

    for time in range(10):
        (tmp_path / str(time)).mkdir()
        talk(tmp_path / str(time), daemon, client)
