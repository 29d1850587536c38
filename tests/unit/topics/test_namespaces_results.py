"""What results on namespaces and on a container's anatomy say, from figures made up for the purpose."""

import pytest

from docker_tutor.classroom.guests import Sample
from docker_tutor.classroom.lacking import reason
from docker_tutor.errors import EngineNotFound
from docker_tutor.topics import anatomy
from docker_tutor.topics.anatomy import Comparison, Costs
from docker_tutor.topics.namespace_surroundings import Mount, Mounts
from docker_tutor.topics.namespace_views import Hostnames, PidOne, Queue, Root
from docker_tutor.topics.namespaces import Matrix, Resident
from docker_tutor.topics.process_tree import Link, ProcessTree


def matrix() -> Matrix:
    """One container with a PID namespace of its own, a second that joins it; a kernel without time namespaces."""
    outside = Resident("outside", 10, {"pid": 1, "net": 2, "user": 3})
    plain = Resident("plain", 11, {"pid": 4, "net": 5, "user": 3})
    joined = Resident("joined", 12, {"pid": 4, "net": 6, "user": 3})
    return Matrix(outside, (plain, joined))


def test_equal_inodes_are_one_namespace() -> None:
    assert matrix().shared("plain") == {"user"}
    assert matrix().shared("joined", "plain") == {"pid", "user"}


def test_kinds_that_the_kernel_lacks_are_left_out() -> None:
    assert matrix().kinds == ("pid", "net", "user")
    assert list(matrix().to_frame().columns) == ["namespace", "outside", "plain", "joined"]


def test_an_unknown_container_is_an_error() -> None:
    with pytest.raises(KeyError):
        matrix().shared("nobody")


def test_what_was_not_measured_is_open_and_never_a_number() -> None:
    costs = Comparison(Costs(kernel="6.1"), Costs(cpu_s=0.05, memory_bytes=1 << 20, kernel="6.1"), None, 5)
    table = costs.to_frame().set_index("measured here")
    assert set(table["virtual machine (QEMU, emulated)"]) == set(table["User-Mode Linux"]) == {"open"}
    assert table.loc["CPU time of the same job", "plain process"] == "open"
    assert table.loc["resident memory, asleep", "container"] == "1 MiB"
    assert costs.cpu_ratio is None


def test_the_ratio_is_inside_by_outside() -> None:
    assert Comparison(Costs(cpu_s=0.5), Costs(cpu_s=0.55), None, 5).cpu_ratio == pytest.approx(1.1)


def test_what_is_emulated_is_called_so_and_compared_with_what_is_not() -> None:
    process, guest = Costs(cpu_s=0.1, kernel="6.1"), Costs(cpu_s=1.8, kernel="6.12")
    emulated = Comparison(process, Costs(), guest, 5, emulated=True)
    assert emulated.emulation == pytest.approx(18)
    assert emulated.titles[-1] == "virtual machine (QEMU, emulated)"
    helped = Comparison(process, Costs(), guest, 5)
    assert helped.emulation is None
    assert helped.titles[-1] == "virtual machine (QEMU, with the processor's help)"
    assert Comparison(Costs(), Costs(), guest, 5, emulated=True).emulation is None
    assert helped.machines == (guest,)


def test_how_soon_a_container_starts_is_claimed_unless_the_engine_itself_is_emulated() -> None:
    container = Costs(first_output_s=9)
    assert Comparison(Costs(), container, None, 5).first_output_s == 9
    lacking = Comparison(Costs(), container, None, 5, engine_emulated=True).first_output_s
    assert "emulated" in reason(lacking)


def test_a_machine_that_starts_first_is_noticed_where_both_run_on_one_kernel() -> None:
    slow, quick = Costs(first_output_s=2, kernel="6.12"), Costs(first_output_s=0.1, kernel="6.12")
    container = Costs(first_output_s=0.3, kernel="6.1")
    assert Comparison(Costs(), container, slow, 5, host_kernel="6.1").start_later
    assert not Comparison(Costs(), container, slow, 5, quick, host_kernel="6.1").start_later
    assert Comparison(Costs(), container, slow, 5, quick, host_kernel="6.2").start_later


def test_a_machine_that_cannot_run_leaves_its_reason_and_the_others_are_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran = Sample(
        disk_bytes=1,
        own_disk_bytes=2,
        first_output_s=3.0,
        memory_bytes=4,
        emulated=True,
        said={"cpu_s": 5, "kernel": "6.12"},
    )

    def take(kind: str, _job: str, _report: object) -> Sample:
        if kind == "uml":
            raise EngineNotFound("no ptrace")
        return ran

    monkeypatch.setattr(anatomy.guests, "take", take)
    assert anatomy._samples(("uml", "qemu")) == ({"qemu": ran}, ("uml: no ptrace",))


def test_a_runtime_in_the_chain_is_noticed() -> None:
    gone = ProcessTree((Link(30, "sleep"), Link(20, "containerd-shim-runc-v2"), Link(1, "init")), ("dockerd",))
    there = ProcessTree((Link(30, "sleep"), Link(20, "runc"), Link(1, "init")), ("dockerd", "runc"))
    assert (gone.runtime_gone, gone.parent) == (True, "containerd-shim-runc-v2")
    assert not there.runtime_gone
    assert list(gone.to_frame()["program"]) == ["init", "containerd-shim-runc-v2", "sleep"]


def test_mounts_of_the_kernels_own_are_not_listed() -> None:
    inside = (Mount("/", "overlay", "rw"), Mount("/proc/bus", "proc", "ro"), Mount("/made", "tmpfs", "rw"))
    mounted = Mounts(inside, 50, "/made", seen_outside=False, refused_without_capability=True)
    assert mounted.made
    assert mounted.root.file_system == "overlay"
    assert list(mounted.to_frame()["mounted at"]) == ["/", "/made"]


def test_root_is_the_same_only_when_both_are_zero() -> None:
    assert Root(0, 0, ((0, 0, 1 << 32),), 14, 40).same
    assert not Root(0, 100_000, ((0, 100_000, 65_536),), 14, 40).same


def test_every_view_has_a_table() -> None:
    assert len(PidOne(1, 300, 299, (1, 7), 120).to_frame()) == 2
    assert len(Queue(maker=True, neighbour=False, joined=True, outside=False).to_frame()) == 4
    names = Hostnames(refused=True, inside="a", neighbour="b", outside_before="c", outside_after="c")
    assert list(names.to_frame()["hostname"]) == ["a", "b", "c", "c"]
