"""Where this machine's disk is full, an engine says so and what to do, and afterwards has what was in it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from waiting import until

from docker_tutor.engines import room
from docker_tutor.engines.base import Engine
from docker_tutor.engines.private import stopping
from docker_tutor.engines.private.engine import PrivateEngine
from docker_tutor.engines.private.layout import Layout
from docker_tutor.engines.vm import image as images
from docker_tutor.engines.vm.engine import VmEngine
from docker_tutor.engines.vm.stopping import leftovers
from docker_tutor.errors import DiskFull
from docker_tutor.units import MiB

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk"),
]

Docker = Callable[..., str]
Machines = Callable[..., VmEngine]
SEEN_WITHIN_S = 20
FILL = "dd if=/dev/zero of=/v/more bs=1M count=96 && sync"


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[Path]:
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def fill(file: Path, left_bytes: int) -> None:
    with file.open("wb") as opened:
        os.posix_fallocate(opened.fileno(), 0, room.free_bytes(file.parent) - left_bytes)


def test_the_private_engine_names_the_full_disk_and_comes_up_once_there_is_room(
    engine_of_its_own: Callable[[str], PrivateEngine], docker_of: Callable[[Engine], Docker], tmp_path: Path
) -> None:
    runtime = engine_of_its_own("fp").layout.runtime
    with small_disk(tmp_path / "disk", 128 * MiB) as disk:
        engine = PrivateEngine(Layout("full", runtime, disk / "engine"))
        fill(disk / "others", 10 * MiB)
        with pytest.raises(DiskFull, match=rf"{disk}, and 10 MiB are free: make room for 22 MiB more"):
            engine.up()
        assert stopping.leftovers(engine.layout) == []
        (disk / "others").unlink()
        engine.up()
        try:
            docker_of(engine)("run", "--volume", "kept:/v", "tiny", "sh", "-c", "echo of value >/v/file")
            engine.down()
            fill(disk / "others", 0)
            with pytest.raises(DiskFull, match=f"{disk}, and 0 B are free: make room for 32 MiB more"):
                engine.up()
            (disk / "others").unlink()
            engine.up()
            assert docker_of(engine)("run", "--rm", "--volume", "kept:/v", "tiny", "cat", "/v/file") == "of value"
        finally:
            engine.down(purge=True)


def test_a_machine_that_has_no_room_to_write_says_so_and_keeps_what_it_had(
    machine_of_its_own: Machines, docker_of: Callable[[Engine], Docker], tmp_path: Path
) -> None:
    engine = machine_of_its_own("fu")
    layout = engine.layout
    with small_disk(layout.data, 512 * MiB) as disk:
        images.format_disk(images.ensure(), layout.disk, 448 * MiB)
        try:
            engine.up()
            docker_of(engine)("run", "--volume", "kept:/v", "tiny", "sh", "-c", "echo of value >/v/file && sync")
            fill(disk / "others", 40 * MiB)
            docker_of(engine)("run", "--detach", "--volume", "kept:/v", "tiny", "sh", "-c", FILL)
            assert until(lambda: engine.status().state == "broken", SEEN_WITHIN_S)
            assert f"no room for that in {disk}: make room there" in engine.status().detail
            assert until(lambda: leftovers(layout) == [])
            with pytest.raises(DiskFull, match=f"in {disk} to grow, and .* free: make room for .* more"):
                engine.up()
            (disk / "others").unlink()
            engine.up()
            assert docker_of(engine)("run", "--rm", "--volume", "kept:/v", "tiny", "cat", "/v/file") == "of value"
        finally:
            engine.down()
