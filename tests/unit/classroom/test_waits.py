import socket
import threading
from typing import Never

import pytest

from docker_tutor.classroom.waits import Wait, _lines
from docker_tutor.errors import WaitTimedOut


def nobody() -> Never:
    raise AssertionError("no daemon is asked about a port")


def test_pieces_of_a_log_become_lines() -> None:
    assert list(_lines([b"one\ntw", b"o\r\nthr", b"ee"])) == ["one", "two", "three"]


def test_a_port_on_which_somebody_listens_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        Wait(nobody).port(server.getsockname()[1], within_s=2)


def test_a_port_that_takes_connections_and_drops_them_does_not_answer_yet() -> None:
    drop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve() -> None:
            while not drop.is_set():
                server.accept()[0].close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with pytest.raises(WaitTimedOut, match=rf"Nothing answered on 127.0.0.1:{port} within 0.2 s"):
            Wait(nobody).port(port, within_s=0.2)
        drop.set()
        socket.create_connection(("127.0.0.1", port)).close()
        thread.join(5)


def test_on_a_slow_engine_everything_has_several_times_as_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(WaitTimedOut, match=r"within 0.2 s"):
        Wait(nobody, lambda: 4).port(port, within_s=0.05)


def test_a_port_on_which_nobody_listens_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(WaitTimedOut, match="Nothing answered"):
        Wait(nobody).port(port, within_s=0.1)
