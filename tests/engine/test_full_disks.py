"""Where this machine's disk is full, an engine says so and what to do, and afterwards has what was in it."""

import asyncio
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from waiting import until

from docker_tutor.engines import room
from docker_tutor.engines.base import Engine
from docker_tutor.engines.private import stopping
from docker_tutor.engines.private.engine import PrivateEngine
from docker_tutor.engines.private.layout import Layout
from docker_tutor.engines.vm import image as images
from docker_tutor.engines.vm import qemu_parts, workshop
from docker_tutor.engines.vm.engine import VmEngine
from docker_tutor.engines.vm.layout import Layout as VmLayout
from docker_tutor.engines.vm.saving import Saving
from docker_tutor.engines.vm.stopping import leftovers
from docker_tutor.errors import DiskFull
from docker_tutor.units import KiB, MiB

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk"),
]

Docker = Callable[..., str]
Machines = Callable[..., VmEngine]
SEEN_WITHIN_S = 20
FILL = "dd if=/dev/zero of=/v/more bs=1M count=96 && sync"
FILL_ALL = "for size in 1M 4k 512; do dd if=/dev/zero of=/v/all-$size bs=$size; sync; done"


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


def test_a_disk_that_fills_up_while_a_guest_is_made_is_named_and_nothing_of_it_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "disk", 64 * MiB) as disk:
        monkeypatch.setattr(workshop, "cache_folder", lambda: disk)
        with pytest.raises(DiskFull, match=rf"needs 1\.2 GiB in {disk}/guests, and .* make room for 1\.1 GiB more"):
            images.ensure()
        shop = replace(images.WORKSHOP, unpacked_bytes=MiB)
        monkeypatch.setattr(images, "WORKSHOP", shop)
        with pytest.raises(DiskFull, match=f"make room for .* in {disk}/guests"):
            images.ensure()
        assert [entry.name for entry in shop.home.iterdir()] == ["in-use.lock"]


# Under emulation it takes minutes.
@pytest.mark.parametrize("kind", ["uml", pytest.param("qemu", marks=pytest.mark.one_in(7))])
def test_a_machine_that_has_no_room_to_write_says_so_and_keeps_what_it_had(
    kind: str, machine_of_its_own: Machines, docker_of: Callable[[Engine], Docker], tmp_path: Path
) -> None:
    engine = machine_of_its_own("fu", kind=kind)
    layout = engine.layout
    with small_disk(layout.data, 288 * MiB) as disk:
        images.format_disk(images.ensure(), layout.disk, 256 * MiB)
        try:
            engine.up()
            docker_of(engine)("run", "--volume", "kept:/v", "tiny", "sh", "-c", "echo of value >/v/file && sync")
            slowness = engine.slowness
            fill(disk / "others", 40 * MiB)
            docker_of(engine)("run", "--detach", "--volume", "kept:/v", "tiny", "sh", "-c", FILL)
            assert until(lambda: engine.status().state == "broken", SEEN_WITHIN_S * slowness)
            assert f"no room for that in {disk}: make room there" in engine.status().detail
            assert until(lambda: leftovers(layout) == [])
            with pytest.raises(DiskFull, match=f"in {disk} to grow, and .* free: make room for .* more"):
                engine.up()
            (disk / "others").unlink()
            engine.up()
            assert docker_of(engine)("run", "--rm", "--volume", "kept:/v", "tiny", "cat", "/v/file") == "of value"
            # Its own disk, then, to the last byte.
            docker_of(engine)("run", "--volume", "kept:/v", "tiny", "sh", "-c", FILL_ALL)
            assert until(lambda: "disk is full" in engine.status().detail)
            engine.down()
            engine.up()
            assert docker_of(engine)("run", "--rm", "--volume", "kept:/v", "tiny", "cat", "/v/file") == "of value"
        finally:
            engine.down()


@pytest.mark.parametrize(("size_bytes", "fits"), [(64 * KiB, False), (64 * MiB, True)])
def test_a_state_is_kept_where_all_of_it_was_written_and_else_the_guest_goes_on(
    tmp_path: Path, size_bytes: int, fits: bool
) -> None:
    parts = qemu_parts.ensure(images.ensure())
    control, end = socket.socketpair()
    words = ["-L", str(parts.firmware), "-nodefaults", "-display", "none", "-machine", "q35", "-m", "64M", "-S"]
    words += ["-chardev", f"socket,id=control,fd={end.fileno()}", "-mon", "chardev=control,mode=control"]

    async def save(layout: VmLayout) -> None:
        saving = Saving(layout, control, lambda message: None)
        assert await saving.begin(resumes=False) is None
        saving.rests.set()
        assert await saving.save() == saving.saved == layout.saved_state.exists() == layout.saved.exists() == fits
        if not fits:
            assert (await saving._control.do("query-status"))["running"]

    with (
        small_disk(tmp_path / "disk", size_bytes) as disk,
        control,
        subprocess.Popen([*parts.command("qemu"), *words], pass_fds=[end.fileno()]) as qemu,
    ):
        end.close()
        try:
            asyncio.run(save(VmLayout("full", tmp_path / "run", disk)))
        finally:
            qemu.kill()
