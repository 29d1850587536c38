from pathlib import Path

import pytest

from docker_tutor.gateway.live import Registration, register, registrations

ENTRY = Registration("t-1", 1, 2.0, "unix:///x", "/f", "me", disposable=True)


def test_a_registration_lives_as_long_as_its_lock(tmp_path: Path) -> None:
    file = tmp_path / "t-1.json"
    lock = register(file, ENTRY)
    assert list(registrations(tmp_path)) == [ENTRY]
    with pytest.raises(BlockingIOError):
        register(file, ENTRY)
    lock.close()  # as a kill does
    assert [entry.alive for entry in registrations(tmp_path)] == [False]
    register(file, ENTRY).close()


def test_half_a_registration_is_no_registration(tmp_path: Path) -> None:
    (tmp_path / "t-2.json").write_text('{"scope": "t')
    assert list(registrations(tmp_path)) == []
