"""Messages survive a line that breaks them anywhere and says things of its own."""

import pytest

from docker_tutor.engines.private.listeners import Listener
from docker_tutor.engines.vm.guest import listening
from docker_tutor.engines.vm.line import ACKNOWLEDGED_BYTES, WINDOW_BYTES, Messages, Paced, written

SAID = [{"ready": True}, {"listeners": [["tcp", 80, ""]]}, {"beat": 3}]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_messages_are_whole_however_they_arrive(size: int) -> None:
    data = b"".join(map(written, SAID))
    messages = Messages()
    found = [m for i in range(0, len(data), size) for m in messages.feed(data[i : i + size])]
    assert found == SAID


def test_what_is_no_message_is_left_out() -> None:
    noise = b"login: \r\n[1,2]\n" + b"\xff\xfe\n" + written(SAID[0])
    assert list(Messages().feed(noise)) == [SAID[0]]


def test_what_the_shell_of_the_guest_says_is_a_message() -> None:
    said = b'{"failed": "disk", "said": "mount: mounting failed: Invalid argument"}\r\n'
    assert next(Messages().feed(said))["failed"] == "disk"


def test_a_client_that_waits_for_its_answer_is_no_listener() -> None:
    found = {Listener("udp", 40000, ""), Listener("udp", 53, "127.0.0.1"), Listener("tcp", 40000, "")}
    clients = range(32768, 61000)
    assert listening(found, clients, set()) == [["tcp", 40000, ""], ["udp", 53, "127.0.0.1"]]
    # Docker chooses ports for containers out of the same range.
    assert listening(found, clients, found) == [["tcp", 40000, ""], ["udp", 53, "127.0.0.1"], ["udp", 40000, ""]]


def test_no_more_is_sent_than_the_reader_has_room_for_and_all_of_it_arrives() -> None:
    data, arrived = bytes(range(256)) * 100, bytearray()
    read = 0
    line = Paced(arrived.extend)
    line.put(data[:100])
    line.put(data[100:])
    assert len(arrived) == WINDOW_BYTES
    while len(arrived) > read:
        line.was_read(ACKNOWLEDGED_BYTES)
        read += ACKNOWLEDGED_BYTES
        assert len(arrived) <= read + WINDOW_BYTES
    assert arrived == data
    assert line.waiting_bytes == 0


def test_a_reader_that_speaks_of_what_came_before_does_not_open_the_window_wider() -> None:
    arrived = bytearray()
    line = Paced(arrived.extend)
    line.was_read(WINDOW_BYTES)
    line.put(bytes(3 * WINDOW_BYTES))
    assert len(arrived) == WINDOW_BYTES
