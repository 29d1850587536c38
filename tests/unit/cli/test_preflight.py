import pytest

from docker_tutor.cli import preflight
from docker_tutor.errors import CourseError
from docker_tutor.units import GiB


def test_a_machine_with_room_passes() -> None:
    preflight.check_room(disk_bytes=1, memory_bytes=1)


def test_too_little_disk_says_how_much_is_missing_where_and_what_helps() -> None:
    with pytest.raises(CourseError, match=r"are free on the disk of .*docker-tutor.* needs 9999999 GiB.*XDG_DATA_HOME"):
        preflight.check_room(disk_bytes=9999999 * GiB)


def test_too_little_memory_says_how_much_is_needed() -> None:
    with pytest.raises(CourseError, match="of memory are free; the course needs 9999999 GiB"):
        preflight.check_room(disk_bytes=1, memory_bytes=9999999 * GiB)
