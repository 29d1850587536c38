"""What a student puts in the place of a file leads nobody out of the student's folder."""

import os
from pathlib import Path

import pytest

from docker_tutor.grading.studentfiles import StudentFiles


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    path = tmp_path / "outside" / "gradebook.db"
    path.parent.mkdir()
    path.write_text("ada 21", encoding="utf-8")
    (tmp_path / "work").mkdir()
    return path


@pytest.fixture
def files(tmp_path: Path, outside: Path) -> StudentFiles:
    return StudentFiles(tmp_path / "work")


def test_a_file_is_read_as_it_was_written_with_the_folders_above_it(files: StudentFiles) -> None:
    files.write("site/pages/index.html", "hello")
    files.write("site/pages/index.html", "hi")
    assert files.read("site/pages/index.html") == "hi"


@pytest.mark.parametrize("path", ["link", "folder/gradebook.db", "../outside/gradebook.db", "absent", "pipe", "dir"])
def test_what_is_no_file_of_the_folder_is_not_read(
    files: StudentFiles, outside: Path, tmp_path: Path, path: str
) -> None:
    work = tmp_path / "work"
    (work / "link").symlink_to(outside)
    (work / "folder").symlink_to(outside.parent)
    os.mkfifo(work / "pipe")
    (work / "dir").mkdir()
    assert files.read(path) is None


@pytest.mark.parametrize(
    "path", ["link", "folder/gradebook.db", "folder/new", "../outside/gradebook.db", "pipe", "dir"]
)
def test_nothing_is_written_through_a_link(files: StudentFiles, outside: Path, tmp_path: Path, path: str) -> None:
    work = tmp_path / "work"
    (work / "link").symlink_to(outside)
    (work / "folder").symlink_to(outside.parent)
    os.mkfifo(work / "pipe")
    (work / "dir").mkdir()
    with pytest.raises(OSError):  # noqa: PT011 - which one is the kernel's affair
        files.write(path, "evil")
    assert outside.read_text(encoding="utf-8") == "ada 21"
    assert list(outside.parent.iterdir()) == [outside]
