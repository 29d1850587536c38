"""A saved state is taken once, by the very machine that it belongs to, and by no other."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from docker_tutor.engines.vm import qemu, saved
from docker_tutor.engines.vm.layout import Layout
from docker_tutor.engines.vm.machine import Machine
from docker_tutor.engines.vm.saved import fingerprint, forget, keep, take
from docker_tutor.units import GiB

PARTS = ("vmlinux", "modules.img", "qemu", "virtiofsd")
ANY = range(2 * GiB + 1)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    for name in ("root.img", *PARTS):
        (tmp_path / name).write_text(name, encoding="utf-8")
    return Machine("qemu", str(tmp_path), GiB, "", 0, 40000, parts=str(tmp_path), accelerator="tcg", fingerprint="x")


@pytest.fixture
def layout(tmp_path: Path, machine: Machine) -> Layout:
    """Make what a machine leaves that was just saved."""
    layout = Layout("x", tmp_path / "runtime", tmp_path / "data")
    layout.certificates.mkdir(parents=True)
    (layout.certificates / "key.pem").write_text("a key", encoding="utf-8")
    layout.saved.mkdir(parents=True)
    for file in (layout.seed, layout.copy_on_write, layout.disk, layout.saved_state):
        file.write_text(file.name, encoding="utf-8")
    keep(layout, machine)
    return layout


def test_it_is_taken_with_its_keys_and_its_changes_and_only_once(layout: Layout) -> None:
    assert take(layout, "x", ANY) == GiB
    assert (layout.certificates / "key.pem").read_text(encoding="utf-8") == "a key"
    assert layout.copy_on_write.read_text(encoding="utf-8") == "root.cow"
    assert layout.saved_state.exists()  # it is still to be read
    assert take(layout, "x", ANY) is None
    assert not layout.saved.exists()


def touch(file: Path) -> None:
    now = file.stat()
    os.utime(file, ns=(now.st_atime_ns, now.st_mtime_ns + 1))


SPOILT: dict[str, Callable[[Layout], object]] = {
    "the state is cut short": lambda it: os.truncate(it.saved_state, 2),
    "the state was written again": lambda it: touch(it.saved_state),
    "the state is gone": lambda it: it.saved_state.unlink(),
    "the disk was used since": lambda it: touch(it.disk),
    "the disk is gone": lambda it: it.disk.unlink(),
    "the stamp is half": lambda it: os.truncate(it.saved_stamp, 20),
    "the stamp is of another version": lambda it: it.saved_stamp.write_text(json.dumps({"memory": 1})),
    "its changes of the image are gone": lambda it: (it.saved / it.copy_on_write.name).unlink(),
    "it was not finished": lambda it: it.saved_stamp.unlink(),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_one_that_is_not_as_it_was_is_removed(layout: Layout, spoil: Callable[[Layout], object]) -> None:
    spoil(layout)
    assert take(layout, "x", ANY) is None
    assert not layout.saved.exists()


def test_one_of_another_machine_is_removed(layout: Layout) -> None:
    assert take(layout, "y", ANY) is None
    assert not layout.saved.exists()


def test_one_that_needs_more_memory_than_there_is_now_is_removed(layout: Layout) -> None:
    assert take(layout, "x", range(GiB)) is None
    assert not layout.saved.exists()


def test_where_there_is_none_nothing_is_taken(tmp_path: Path) -> None:
    layout = Layout("x", tmp_path, tmp_path)
    assert take(layout, "x", ANY) is None
    forget(layout)


OTHERS: dict[str, Callable[[Machine], Machine]] = {
    "QEMU": lambda it: touched(it, "qemu"),
    "kernel": lambda it: touched(it, "vmlinux"),
    "guest image": lambda it: touched(it, "root.img"),
    "server of folders": lambda it: touched(it, "virtiofsd"),
    "accelerator": lambda it: replace(it, accelerator="kvm"),
    "folders": lambda it: replace(it, shares=("/a",)),
}


def touched(machine: Machine, name: str) -> Machine:
    touch(Path(machine.image, name))
    return machine


@pytest.mark.parametrize("change", OTHERS.values(), ids=OTHERS)
def test_another_machine_has_another_fingerprint(machine: Machine, change: Callable[[Machine], Machine]) -> None:
    before = fingerprint(machine, "given")
    assert fingerprint(machine, "given") == before
    assert fingerprint(change(machine), "given") != before


def test_what_the_guest_is_given_is_part_of_it(machine: Machine) -> None:
    assert fingerprint(machine, "this") != fingerprint(machine, "that")


def test_so_is_how_it_is_started(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint(machine, "given")
    (tmp_path / "qemu.py").write_text("another -cpu", encoding="utf-8")
    monkeypatch.setattr(qemu, "__file__", str(tmp_path / "qemu.py"))
    assert fingerprint(machine, "given") != before


@pytest.mark.parametrize(("accelerator", "matters"), [("kvm", True), ("tcg", False)])
def test_the_processor_is_part_of_it_where_it_helps(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, accelerator: str, *, matters: bool
) -> None:
    it = replace(machine, accelerator=accelerator)
    before = fingerprint(it, "given")
    monkeypatch.setattr(saved, "_processor", lambda: ["model name\t: another"])
    assert (fingerprint(it, "given") != before) == matters
