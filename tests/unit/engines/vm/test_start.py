"""What a guest is given and shown, and what is said when it does not come up."""

import json
import tarfile
from pathlib import Path

import pytest

from docker_tutor.engines.vm import certificates, packing, seed, starting, uml
from docker_tutor.engines.vm.engine import VmEngine
from docker_tutor.engines.vm.fence import Fence
from docker_tutor.engines.vm.image import Image
from docker_tutor.engines.vm.layout import Layout
from docker_tutor.engines.vm.machine import Machine
from docker_tutor.errors import EngineStartFailed


def test_the_seed_holds_a_program_that_needs_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "seed.tar"
    seed.write(file, certificates.make(), seed.contents([Path("/home/x y")], {"debug": True}))
    assert file.stat().st_mode & 0o777 == 0o600
    with tarfile.open(file) as tar:
        names = set(tar.getnames())
        settings = json.loads(tar.extractfile("daemon.json").read())
        assert tar.extractfile("shares").read() == b"/home/x y\n"
    assert {"docker_tutor/engines/vm/guest.py", "docker_tutor/engines/private/listeners.py", "server-key.pem"} <= names
    assert "key.pem" not in names
    assert settings["tlsverify"] is True
    assert settings["debug"] is True


def test_a_guest_trusts_whom_this_machine_trusts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bundle.pem").write_bytes(b"an authority")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "bundle.pem"))
    seed.write(tmp_path / "seed.tar", certificates.make(), seed.contents([]))
    with tarfile.open(tmp_path / "seed.tar") as tar:
        assert tar.extractfile("authorities.pem").read() == b"an authority"


@pytest.mark.parametrize("hides", ["/", "/var", "/usr", "/proc/self"])
def test_folders_that_would_hide_the_guests_own_are_not_shared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hides: str
) -> None:
    monkeypatch.setenv("HOME", hides)
    monkeypatch.setattr(starting.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(starting, "checkout", lambda: tmp_path / "course")
    (tmp_path / "course").mkdir()
    assert starting.default_shares() == (tmp_path,)


@pytest.mark.parametrize(("accelerator", "slow"), [("tcg", True), ("kvm", False), ("", False)])
def test_one_waits_longer_for_an_emulated_machine_alone(tmp_path: Path, accelerator: str, slow: bool) -> None:
    layout = Layout("slow", tmp_path, tmp_path)
    engine = VmEngine("qemu", layout)
    assert engine.slowness == 1  # there is none yet
    Machine("qemu", "/image", 1 << 30, "/dev/shm", 1, 40000, accelerator=accelerator).write(layout.machine)
    assert (engine.slowness > 1) is slow


def test_a_machine_is_read_as_it_was_written(tmp_path: Path) -> None:
    machine = Machine("uml", "/image", 1 << 30, "/dev/shm", 1, 40000, shares=("/home",))
    machine.write(tmp_path / "machine.json")
    assert Machine.read(tmp_path / "machine.json") == machine


def test_a_fenced_machine_is_read_as_it_was_written(tmp_path: Path) -> None:
    fence = Fence(readable=("/opt/python",), hidden=("/opt/python/secret",), doors={"/run/x/cell-1": 47602})
    machine = Machine("uml", "/image", 1 << 30, "/dev/shm", 1, 40000, networked=False, shares=("/work",), fence=fence)
    machine.write(tmp_path / "machine.json")
    assert Machine.read(tmp_path / "machine.json") == machine


def test_a_machine_of_another_version_of_the_course_is_no_machine(tmp_path: Path) -> None:
    (tmp_path / "machine.json").write_text('{"kind": "uml", "shares": [], "unheard_of": 1}', encoding="utf-8")
    with pytest.raises(ValueError, match="unheard_of"):
        Machine.read(tmp_path / "machine.json")


def test_the_guest_gets_the_shared_image_under_a_copy_of_its_own(tmp_path: Path) -> None:
    layout = Layout("x", tmp_path / "run", tmp_path / "data")
    found = uml.start(layout, Machine("uml", "/image", 1 << 30, "/dev/shm", 1, 40000), 7, 8, 9)
    assert f"ubd0={layout.copy_on_write},/image/root.img" in found.command
    assert "mem=1024M" in found.command
    assert found.folder == Path("/image/lib")
    assert found.environment["TMPDIR"] == "/dev/shm"


@pytest.mark.parametrize(
    ("console", "said"),
    [
        ("Checking that ptrace can change system call numbers...ptrace: Operation not permitted\n", "needs ptrace"),
        ("Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b\n", "Attempted to kill init"),
        ("Too few physical memory! Needed=1, given=2\n", "too little memory"),
        ("all is well\n", None),
    ],
)
def test_last_words_are_explained(tmp_path: Path, console: str, said: str | None) -> None:
    (tmp_path / "console.log").write_text(console, encoding="utf-8")
    found = uml.explained(tmp_path / "console.log")
    assert found is None if said is None else said in str(found)


def test_a_packed_disk_is_as_small_as_what_was_used_and_comes_back_with_its_holes(tmp_path: Path) -> None:
    layout = Layout("x", tmp_path / "run", tmp_path)
    with layout.disk.open("wb") as disk:
        disk.truncate(1 << 30)
        disk.seek(1 << 29)
        disk.write(b"of value")
        disk.write(bytes(4 << 20))
    packed = packing.pack(layout)
    assert packed is not None
    assert packed.stat().st_size < 1 << 20
    assert not layout.disk.exists()
    assert packing.unpack(layout)
    assert layout.disk.stat().st_size == 1 << 30
    assert layout.disk.stat().st_blocks * 512 < 1 << 20
    with layout.disk.open("rb") as disk:
        disk.seek(1 << 29)
        assert disk.read(8) == b"of value"
    assert not packing.unpack(layout)


def test_a_packed_disk_that_is_damaged_is_named_and_leaves_no_half(tmp_path: Path) -> None:
    layout = Layout("x", tmp_path / "run", tmp_path)
    layout.packed_disk.write_bytes(b"not a tar at all" * 100)
    with pytest.raises(EngineStartFailed, match="cannot be used"):
        packing.unpack(layout)
    assert not layout.disk.exists()


def test_an_image_that_was_cut_short_is_not_taken_for_whole(tmp_path: Path) -> None:
    (tmp_path / "root.img").write_bytes(b"0" * 4096)
    (tmp_path / "stamp.json").write_text(json.dumps({"packages": {}, "sizes": {"root.img": 4096}}), encoding="utf-8")
    assert Image(tmp_path).whole
    with (tmp_path / "root.img").open("r+b") as disk:
        disk.truncate(2048)
    assert not Image(tmp_path).whole
    (tmp_path / "stamp.json").write_text("{", encoding="utf-8")
    assert not Image(tmp_path).whole
