"""Whatever happens to a machine, the next `up` works or says why not, nothing is lost, nothing is left."""

import errno
import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from docker_tutor.engines.base import Engine
from docker_tutor.engines.private.state import read
from docker_tutor.engines.vm import image as images
from docker_tutor.engines.vm import limits, workshop
from docker_tutor.engines.vm.engine import VmEngine
from docker_tutor.engines.vm.stopping import leftovers
from docker_tutor.errors import DiskFull, EngineStartFailed
from docker_tutor.paths import checkout
from docker_tutor.processes import Process
from docker_tutor.progress import silent
from docker_tutor.units import MiB

pytestmark = [pytest.mark.engine, pytest.mark.one_in(2)]

Docker = Callable[..., str]
Machines = Callable[..., VmEngine]
VICTIMS = ("machine", "slirp4netns", "keeper")

NO_PTRACE = """\
import ctypes, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
# Load the number of the system call; 101 (ptrace) is refused with EPERM, all others are allowed (man 2 seccomp).
rules = [(0x20, 0, 0, 0), (0x15, 0, 1, 101), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)]
program = b"".join(struct.pack("HBBI", *rule) for rule in rules)
buffer = ctypes.create_string_buffer(program)
header = struct.pack("HxxxxxxP", len(rules), ctypes.addressof(buffer))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, header, 0, 0) == 0
"""
UP = """\
from pathlib import Path
from docker_tutor.engines.vm.engine import VmEngine
from docker_tutor.engines.vm.layout import Layout
from docker_tutor.errors import EngineError
engine = VmEngine("uml", Layout({name!r}, Path({runtime!r}), Path({data!r})))
try:
    engine.up()
except EngineError as error:
    print(error)
else:
    print(engine.status().state)
"""


def process(engine: VmEngine, name: str) -> Process:
    state = read(engine.layout.state)
    assert state is not None
    found = state.process(name)
    assert found is not None
    return found


def ended(engine: VmEngine, within_s: float) -> bool:
    """Wait for the end of the keeper, which is the last of a machine to go."""
    pidfd = process(engine, "keeper").open()
    if pidfd is None:
        return True
    try:
        return bool(select.select([pidfd], [], [], within_s)[0])
    finally:
        os.close(pidfd)


def script(engine: VmEngine) -> str:
    layout = engine.layout
    return UP.format(name=layout.name, runtime=str(layout.runtime), data=str(layout.data))


def test_after_kills_at_random_moments_it_comes_up_with_what_was_in_it(
    machine_of_its_own: Machines, docker_of: Callable[[Engine], Docker]
) -> None:
    engine = machine_of_its_own("vk")
    engine.up()
    docker_of(engine)("run", "--volume", "kept:/v", "tiny", "sh", "-c", "echo of value >/v/file")
    sync = "echo s >/proc/sysrq-trigger"  # as a reader's data would be after half a minute
    docker_of(engine)("run", "--rm", "--privileged", "tiny", "sh", "-c", sync)
    chance = random.Random(6)  # noqa: S311 - not for secrets
    for victim in VICTIMS:
        if victim != "keeper":
            engine.up()
        else:
            # In the middle of a start, which nobody then ends in good order.
            starting = subprocess.Popen([sys.executable, "-c", script(engine)], cwd=checkout())
            with pytest.raises(subprocess.TimeoutExpired):
                starting.wait(1 + chance.random() * 2)
            starting.kill()
            starting.wait()
        assert process(engine, victim).end(signal.SIGKILL, 5)
        if victim != "keeper":
            assert ended(engine, 10)
            assert leftovers(engine.layout) == []
            assert engine.status().state == "broken"
    engine.up()
    assert docker_of(engine)("run", "--rm", "--volume", "kept:/v", "tiny", "cat", "/v/file") == "of value"


def test_a_guest_that_shows_no_sign_of_life_is_ended(
    machine_of_its_own: Machines, docker_of: Callable[[Engine], Docker]
) -> None:
    engine = machine_of_its_own("vs", silent_after_s=12)
    engine.up()
    docker = docker_of(engine)
    # The guest's own first program is stopped: what is left of it would run on for ever. The shell that does so has the
    # program's name among its words as well, and would stop itself first where its number comes first.
    guests = "case $p-$(cat $p/cmdline) in /proc/$$-*) ;; *engines.vm.guest*) kill -STOP ${p#/proc/};; esac"
    stop = f"for p in /proc/[0-9]*; do {guests}; done"
    docker("run", "--detach", "--privileged", "--pid", "host", "tiny", "sh", "-c", stop)
    assert ended(engine, 40)
    assert leftovers(engine.layout) == []
    assert "no sign of life" in engine.status().detail


def test_a_disk_that_was_cut_short_is_named_and_purged(machine_of_its_own: Machines) -> None:
    engine = machine_of_its_own("vd")
    image = images.ensure()
    engine.layout.disk.parent.mkdir(parents=True)
    images.format_disk(image, engine.layout.disk, 256 * MiB)
    with engine.layout.disk.open("r+b") as disk:
        disk.truncate(64 * MiB)
    with pytest.raises(EngineStartFailed, match=r"disk is damaged.*--purge"):
        engine.up()
    assert leftovers(engine.layout) == []
    engine.down(purge=True)
    assert not engine.layout.data.exists()


def test_an_image_that_was_cut_short_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = images.ensure()
    damaged = tmp_path / "guests" / whole.folder.name
    shutil.copytree(whole.folder, damaged, copy_function=os.link)
    monkeypatch.setattr(workshop, "cache_folder", lambda: tmp_path)
    found = images.found()
    assert found is not None
    assert found.folder == damaged
    (damaged / "root.img").unlink()
    with (damaged / "root.img").open("wb") as disk:
        disk.truncate(MiB)
    assert images.found() is None


def test_what_is_made_of_packages_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workshop, "cache_folder", lambda: tmp_path)
    shop = workshop.Workshop(workshop.Made, "things", "1", ("busybox-static",), MiB)

    def broken(root: Path, making: Path) -> None:
        (making / "half").write_bytes(b"half")
        raise OSError(errno.ENOSPC, "no room")

    def finish(root: Path, making: Path) -> None:
        shutil.copy(root / "usr/bin/busybox", making / "busybox")

    with pytest.raises(DiskFull):
        shop.ensure(broken, silent, None)
    assert [path.name for path in shop.home.iterdir()] == ["in-use.lock"]
    made = shop.ensure(finish, silent, None)
    assert "busybox-static" in made.versions
    assert shop.ensure(broken, silent, None) == made  # nothing is made again
    (made.folder / "busybox").write_bytes(b"cut short")
    assert shop.ensure(finish, silent, None).whole
    forgotten, lately = time.time() - 15 * 24 * 3600, time.time() - 24 * 3600
    for name, used in (("old-1-forgotten", forgotten), ("old-2-lately", lately)):
        shutil.copytree(made.folder, shop.home / name)
        os.utime(shop.home / name / "stamp.json", (used, used))
    (made.folder / "busybox").write_bytes(b"cut short")
    assert shop.ensure(finish, silent, None) == made
    kept = {path.name for path in shop.home.iterdir() if path.is_dir()}
    assert kept == {made.folder.name, "old-2-lately"}
    with pytest.raises(DiskFull, match="needs 10000 GiB"):
        workshop.Workshop(workshop.Made, "things", "2", ("busybox-static",), 10_240_000 * MiB).ensure(
            finish, silent, None
        )


def test_too_little_memory_is_said_and_leaves_nothing(
    machine_of_its_own: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "memory_allowed", lambda: 300 * MiB)
    engine = machine_of_its_own("vm2")
    with pytest.raises(EngineStartFailed, match="300 MiB may be used"):
        engine.up()
    assert engine.status().state == "stopped"


def test_a_sandbox_that_forbids_ptrace_is_named(machine_of_its_own: Machines) -> None:
    engine = machine_of_its_own("vp")
    words = [sys.executable, "-c", NO_PTRACE + script(engine)]
    said = subprocess.run(words, capture_output=True, text=True, check=False, cwd=checkout())
    assert re.search("needs ptrace, and this sandbox forbids it", said.stdout), said.stdout + said.stderr
    assert leftovers(engine.layout) == []
