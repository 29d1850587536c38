"""What is said when a disk is full: which one, and how much room is missing."""

import errno
import os
from pathlib import Path

import pytest

from docker_tutor.engines import room
from docker_tutor.errors import DiskFull, EngineStartFailed
from docker_tutor.units import GiB, MiB

SENTENCE = "{needs} in {folder}, {free} are free, {missing} are missing"


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Bytes that are free in folders, by their names; a GiB in all others."""
    found: dict[str, int] = {}

    def usage(folder: Path) -> object:
        return type("Usage", (), {"free": found.get(folder.name, GiB)})

    monkeypatch.setattr(room.shutil, "disk_usage", usage)
    return found


def test_too_little_room_is_said_with_the_folder_and_what_is_missing(tmp_path: Path, free: dict[str, int]) -> None:
    free[tmp_path.name] = 100 * MiB
    room.require(tmp_path, 100 * MiB, SENTENCE)
    with pytest.raises(DiskFull, match=f"^164 MiB in {tmp_path}, 100 MiB are free, 64 MiB are missing$"):
        room.require(tmp_path, 164 * MiB, SENTENCE)


def test_a_folder_that_is_still_to_be_made_has_the_room_of_the_one_that_will_hold_it(
    tmp_path: Path, free: dict[str, int]
) -> None:
    free[tmp_path.name] = 5
    assert room.free_bytes(tmp_path / "not/yet") == 5


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_an_error_of_a_full_disk_names_the_folder_with_the_least_room(
    tmp_path: Path, free: dict[str, int], number: int
) -> None:
    (tmp_path / "full").mkdir()
    free["full"] = 0
    with pytest.raises(DiskFull, match=f"16 MiB in {tmp_path}/full ") as raised, room.told(tmp_path, tmp_path / "full"):
        raise OSError(number, os.strerror(number))
    assert isinstance(raised.value.__cause__, OSError)


def test_an_engine_that_did_not_start_on_a_full_disk_is_told_so(tmp_path: Path, free: dict[str, int]) -> None:
    free[tmp_path.name] = 3 * MiB
    with pytest.raises(DiskFull, match="13 MiB"), room.told(tmp_path):
        raise EngineStartFailed("its last words are not there")


def test_what_has_nothing_to_do_with_room_is_left_as_it_is(tmp_path: Path, free: dict[str, int]) -> None:
    with pytest.raises(EngineStartFailed, match="as it was"), room.told(tmp_path):
        raise EngineStartFailed("as it was")
    with pytest.raises(PermissionError), room.told(tmp_path):
        raise PermissionError(errno.EPERM, "no")
    free[tmp_path.name] = 0
    with pytest.raises(PermissionError), room.told(tmp_path):
        raise PermissionError(errno.EPERM, "no")
