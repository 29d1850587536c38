"""What a guest may have is what the sandbox allows."""

import os
from pathlib import Path

import psutil
import pytest

from docker_tutor.engines.vm import limits
from docker_tutor.errors import DiskFull, EngineStartFailed
from docker_tutor.units import GiB, MiB


def group(folder: Path, **files: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("_", ".", 1)).write_text(f"{content}\n", encoding="ascii")


def allowed(root: Path, line: str) -> int:
    proc = root / "proc"
    proc.write_text(line, encoding="ascii")
    return limits.memory_allowed(root, proc)


def test_the_limit_of_a_group_counts_less_what_is_used_and_cannot_be_taken_back(tmp_path: Path) -> None:
    group(
        tmp_path / "a", memory_max=2 * GiB, memory_current=700 * MiB, memory_stat=f"anon 1\ninactive_file {100 * MiB}"
    )
    assert allowed(tmp_path, "0::/a\n") == 2 * GiB - 600 * MiB


def test_the_least_limit_above_us_counts(tmp_path: Path) -> None:
    group(tmp_path / "a", memory_max=GiB, memory_current=0)
    group(tmp_path / "a/b", memory_max="max", memory_current=0)
    assert allowed(tmp_path, "0::/a/b\n") == GiB


def test_a_container_sees_its_limit_at_the_root_of_the_tree(tmp_path: Path) -> None:
    group(tmp_path, memory_max=GiB, memory_current=0)
    assert allowed(tmp_path, "0::/not/visible/here\n") == GiB


def test_version_1_is_read_where_it_is_mounted(tmp_path: Path) -> None:
    (tmp_path / "memory/x").mkdir(parents=True)
    for name, content in (("limit_in_bytes", GiB), ("usage_in_bytes", MiB)):
        (tmp_path / f"memory/x/memory.{name}").write_text(str(content), encoding="ascii")
    assert allowed(tmp_path, "4:cpu:/y\n3:memory:/x\n") == GiB - MiB


def test_without_a_limit_it_is_what_the_machine_has(tmp_path: Path) -> None:
    group(tmp_path, memory_max="max", memory_current=0)
    assert allowed(tmp_path, "0::/\n") <= psutil.virtual_memory().total
    assert allowed(tmp_path, "0::/\n") > 0


def test_a_notebook_keeps_its_share() -> None:
    assert limits.guest_memory(2 * GiB) == 2 * GiB - limits.KEPT_BYTES
    assert limits.guest_memory(64 * GiB) == limits.MOST_BYTES


def test_too_little_memory_is_said_with_both_numbers() -> None:
    with pytest.raises(EngineStartFailed, match=r"needs 1\.1 GiB.*and 512 MiB may be used"):
        limits.guest_memory(512 * MiB)


def test_memory_that_fits_nowhere_names_where_it_was_tried(tmp_path: Path) -> None:
    with pytest.raises(EngineStartFailed, match=str(tmp_path)):
        limits.memory_folder(1 << 60, [tmp_path])


def test_the_memory_lies_in_a_folder_that_has_room(tmp_path: Path) -> None:
    assert limits.memory_folder(MiB, [tmp_path]) in {Path("/dev/shm"), tmp_path}


def test_the_cpu_is_one_that_we_may_use() -> None:
    assert limits.cpu() in os.sched_getaffinity(0)


def test_a_disk_that_would_be_too_small_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": GiB})
    monkeypatch.setattr(limits.shutil, "disk_usage", lambda _folder: usage)
    with pytest.raises(DiskFull, match=r"2\.5 GiB"):
        limits.disk_bytes(tmp_path)
