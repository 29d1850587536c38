"""How a guest is started on QEMU, without starting one."""

import json
import socket
import stat
import struct
from pathlib import Path

import pytest

from docker_tutor.engines.vm import initramfs, qemu, uml
from docker_tutor.engines.vm.hypervisors import HYPERVISORS
from docker_tutor.engines.vm.layout import Layout
from docker_tutor.engines.vm.machine import Machine
from docker_tutor.engines.vm.qemu_parts import Parts, payload
from docker_tutor.errors import EngineStartFailed
from docker_tutor.processes import boot_id


def machine(folder: Path, *, networked: bool = False, shares: tuple[str, ...] = (), resumes: bool = False) -> Machine:
    (folder / "root.img").write_bytes(b"a disk" * 100_000)
    return Machine(
        "qemu",
        str(folder),
        1 << 30,
        "",
        0,
        40000,
        parts="/parts",
        accelerator="tcg",
        networked=networked,
        shares=shares,
        resumes=resumes,
    )


def test_emulation_has_two_cpus_and_a_bound_on_what_it_keeps(tmp_path: Path) -> None:
    words = qemu.start(Layout("x", tmp_path, tmp_path), machine(tmp_path), 7, 8, 9).command
    assert "tcg,thread=multi,tb-size=256" in words
    assert words[words.index("-smp") + 1] == "2"
    assert words[words.index("-m") + 1] == "1024M"


def test_the_shared_image_is_never_written(tmp_path: Path) -> None:
    layout = Layout("x", tmp_path, tmp_path)
    start = qemu.start(layout, machine(tmp_path), 7, 8, 9)
    disks = {word.split("file=")[1].split(",")[0]: word for word in start.command if word.startswith("if=virtio")}
    assert str(tmp_path / "root.img") not in disks
    assert "format=qcow2" in disks[str(layout.copy_on_write)]
    assert "readonly=on" in disks["/parts/modules.img"]
    assert "format=raw" in disks[str(tmp_path / "disk.img")]


def test_what_a_guest_changes_of_the_image_goes_into_a_file_that_names_it(tmp_path: Path) -> None:
    layout = Layout("x", tmp_path, tmp_path)
    qemu.start(layout, machine(tmp_path), 7, 8, 9)
    made = layout.copy_on_write.read_bytes()
    magic, _version, name_at, name_size, _bits, size = struct.unpack_from(">4sIQIIQ", made)
    assert magic == b"QFI\xfb"
    assert made[name_at : name_at + name_size].decode() == str(tmp_path / "root.img")
    assert size == (tmp_path / "root.img").stat().st_size


def test_one_that_resumes_waits_for_its_state_and_finds_its_changes_again(tmp_path: Path) -> None:
    layout = Layout("x", tmp_path, tmp_path)
    layout.copy_on_write.write_bytes(b"changed")
    words = qemu.start(layout, machine(tmp_path, resumes=True), 7, 8, 9, 10).command
    assert "-S" in words
    assert words[words.index("-incoming") + 1] == "defer"
    assert "socket,id=control,fd=10" in words
    assert layout.copy_on_write.read_bytes() == b"changed"


def test_the_network_card_is_a_connection_to_what_listens(tmp_path: Path) -> None:
    layout = Layout("x", tmp_path, tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as slirp:
        layout.net.mkdir()
        slirp.bind(str(layout.bess))
        slirp.listen()
        start = qemu.start(layout, machine(tmp_path, networked=True), 7, 8, 9)
        (descriptor,) = start.descriptors
        with slirp.accept()[0] as accepted, socket.socket(fileno=descriptor) as card:
            card.send(b"a frame")
            assert accepted.recv(100) == b"a frame"
    assert f"dgram,id=net,local.type=fd,local.str={descriptor}" in start.command


def test_folders_are_served_beside_the_guest_as_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qemu.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(qemu.os, "getegid", lambda: 1000)
    layout, shared = Layout("x", tmp_path, tmp_path), machine(tmp_path, shares=("/home/a", "/tmp"))
    served = qemu.beside(layout, shared)
    assert list(served) == ["share0", "share1"]
    assert "/tmp" in served["share1"].command
    assert f"squash-guest:0:1000:{2**32 - 1}" in served["share0"].command
    assert "memory-backend=memory" in qemu.start(layout, shared, 7, 8, 9).command
    assert uml.beside(layout, shared) == {}


@pytest.mark.parametrize("chosen", ["kvm", "tcg"])
def test_what_was_tried_is_not_tried_again_until_the_machine_is_started_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: str
) -> None:
    (tmp_path / "kvm").touch()
    monkeypatch.setattr(qemu, "KVM", tmp_path / "kvm")
    tries: list[Path] = []
    monkeypatch.setattr(qemu, "_boots_with_kvm", lambda parts: tries.append(parts.folder) or chosen == "kvm")
    memory, parts = tmp_path / "accelerator.json", Parts(Path("/parts/x"))
    assert [qemu.accelerator(parts, memory) for _time in range(2)] == [chosen, chosen]
    assert len(tries) == 1
    kept = json.loads(memory.read_text(encoding="utf-8"))
    assert boot_id() in kept["key"]
    memory.write_text(json.dumps({**kept, "key": "another boot x"}), encoding="utf-8")
    assert qemu.accelerator(parts, memory) == chosen
    assert len(tries) == 2


def test_without_the_device_nothing_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qemu, "KVM", tmp_path / "none")
    assert qemu.accelerator(Parts(Path("/parts")), tmp_path / "accelerator.json") == "tcg"


@pytest.mark.parametrize(
    ("says", "boots"), [(qemu.TRIAL_SAYS, True), ("KVM internal error. Suberror: 1", False), ("nothing known", False)]
)
def test_a_trial_is_believed_only_when_the_guest_speaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, boots: bool
) -> None:
    program = tmp_path / "qemu"
    program.write_text(f"#!/bin/sh\necho {says!r}\nexec sleep 60\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(Parts, "command", lambda _parts, _tool: (str(program),))
    monkeypatch.setattr(qemu, "TRIAL_WITHIN_S", 0.5)
    assert qemu._boots_with_kvm(Parts(tmp_path)) is boots


@pytest.mark.parametrize(
    ("console", "said"),
    [
        ("qemu: cannot set up guest memory 'memory': Cannot allocate memory\n", "too little memory"),
        ("qemu: could not load kernel '/x': No such file or directory\n", "could not read"),
        ("Kernel panic - not syncing: VFS: Unable to mount root fs\n", "Unable to mount root"),
        ("all is well\n", None),
    ],
)
def test_last_words_are_explained(tmp_path: Path, console: str, said: str | None) -> None:
    (tmp_path / "console.log").write_text(console, encoding="utf-8")
    found = HYPERVISORS["qemu"].explained(tmp_path / "console.log")
    assert found is None if said is None else said in str(found)


def test_a_kernel_is_taken_out_of_what_unpacks_itself() -> None:
    setup, code = bytearray(512 * 3), b"code"
    inside = b"\x28\xb5\x2f\xfd compressed"
    setup[0x1F1] = 2
    struct.pack_into("<II", setup, 0x248, len(code), len(inside) + 4)
    kernel = bytes(setup) + code + inside + struct.pack("<I", 57_000_000) + b"more"
    assert payload(kernel) == inside
    with pytest.raises(EngineStartFailed, match="another way"):
        payload(kernel.replace(inside, b"\x1f\x8b" + inside[2:]))


def read(archive: bytes) -> dict[str, tuple[str, bytes]]:
    """Read an archive as the kernel does (init/initramfs.c): 13 numbers of 8 digits, all parts on multiples of four."""
    found, at = {}, 0
    while True:
        assert archive[at : at + 6] == b"070701"
        numbers = [int(archive[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        mode, size, name_size = numbers[1], numbers[6], numbers[11]
        name = archive[at + 110 : at + 109 + name_size].decode()
        begins = (at + 110 + name_size + 3) // 4 * 4
        if name == "TRAILER!!!":
            return found
        found[name] = (stat.filemode(mode), archive[begins : begins + size])
        at = (begins + size + 3) // 4 * 4


def test_the_first_file_system_is_read_as_it_was_packed() -> None:
    files = {"init": initramfs.File(b"#!sh\n", program=True), "one.ko": initramfs.File(b"\0odd")}
    assert read(initramfs.packed(files, ("dev",))) == {
        "dev": ("drwxr-xr-x", b""),
        "init": ("-rwxr-xr-x", b"#!sh\n"),
        "one.ko": ("-rw-r--r--", b"\0odd"),
    }
