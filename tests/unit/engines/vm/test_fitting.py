"""The two changes to User-Mode Linux are made where they belong, or not at all."""

import pytest

from docker_tutor.engines.vm.fitting import ASKED, LOADER, fitted
from docker_tutor.errors import EngineStartFailed

SET = b"\x48\xc7\x45\xf8\x88\x0a\x00\x00\xbf\x05\x42\x00\x00"
GET = b"\x48\xc7\x45\xf8\x88\x0a\x00\x00\xbf\x04\x42\x00\x00"


def test_the_loader_is_looked_up_where_the_program_is_started() -> None:
    program = b"head" + ASKED + b"tail"
    found = fitted(program)
    assert len(found) == len(program)
    assert found == b"head" + LOADER.encode().ljust(len(ASKED), b"\0") + b"tail"


def test_registers_are_handed_back_with_a_length_that_is_always_enough_and_fetched_as_before() -> None:
    found = fitted(ASKED + GET + SET)
    assert GET in found
    assert found.endswith(b"\x48\xc7\x45\xf8\x00\x40\x00\x00\xbf\x05\x42\x00\x00")


@pytest.mark.parametrize("program", [b"nothing of the kind", ASKED + ASKED])
def test_a_program_that_is_not_known_is_not_changed_but_refused(program: bytes) -> None:
    with pytest.raises(EngineStartFailed, match="not known"):
        fitted(program)
