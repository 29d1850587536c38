"""How `start` hears that it should end."""

import os
import signal
import sys

import pytest

from docker_tutor.cli import start


class Interrupted:
    """An object that is interrupted while it goes."""

    def __del__(self) -> None:
        """Be asked to end, here and now."""
        os.kill(os.getpid(), signal.SIGTERM)
        list(map(str, range(10)))  # the interpreter looks for signals between two calls


def test_an_end_that_was_asked_for_while_the_interpreter_drops_exceptions_is_not_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dropped: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda raised: dropped.append(raised.exc_type))
    with start._endings_interrupt() as asked_for:
        asked_for()
        Interrupted()
        assert dropped == [KeyboardInterrupt]
        with pytest.raises(KeyboardInterrupt):
            asked_for()


def test_afterwards_signals_do_what_they_did_before() -> None:
    before = {number: signal.getsignal(number) for number in start._ENDINGS}
    with pytest.raises(KeyboardInterrupt), start._endings_interrupt():
        signal.raise_signal(signal.SIGHUP)
    assert {number: signal.getsignal(number) for number in start._ENDINGS} == before
