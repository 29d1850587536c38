"""Messages survive a line that breaks them anywhere and says things of its own."""

import pytest

from docker_tutor.engines.private.listeners import Listener
from docker_tutor.engines.vm.guest import listening
from docker_tutor.engines.vm.line import Messages, written

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
    assert listening(found, range(32768, 61000)) == [["tcp", 40000, ""], ["udp", 53, "127.0.0.1"]]
