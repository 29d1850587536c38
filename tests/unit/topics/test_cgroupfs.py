"""Both versions of control groups, as trees of plain files: version 2 too, which the machines of the tests may lack."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from docker_tutor.topics import _cgroupfs

CONTAINER = "ab12" * 16
V1 = {
    "memory/memory.limit_in_bytes": "536870912\n",
    "memory/memory.usage_in_bytes": "4096\n",
    "memory/memory.memsw.limit_in_bytes": "1073741824\n",
    "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
    "cpu/cpu.cfs_quota_us": "150000\n",
    "cpu/cpu.cfs_period_us": "100000\n",
    "cpu/cpu.shares": "512\n",
    "cpu/cpu.stat": "nr_periods 10\nnr_throttled 4\nthrottled_time 250000000\n",
    "cpuacct/cpuacct.usage": "123456789\n",
    "pids/pids.max": "20\n",
}
V2 = {
    "memory.max": "536870912\n",
    "memory.current": "4096\n",
    "memory.swap.max": "536870912\n",
    "memory.events": "low 0\nhigh 0\nmax 12\noom 3\noom_kill 3\noom_group_kill 0\n",
    "cpu.max": "150000 100000\n",
    "cpu.weight": "59\n",
    "cpu.stat": "usage_usec 123456\nuser_usec 1\nnr_periods 10\nnr_throttled 4\nthrottled_usec 250000\n",
    "pids.max": "20\n",
}


def version_1(root: Path, parent: str = "docker") -> Path:
    for name, text in V1.items():
        controller, _slash, file = name.partition("/")
        folder = root / controller / parent / CONTAINER
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text)
    return root


def version_2(root: Path, group: str) -> Path:
    (root / group).mkdir(parents=True)
    (root / "cgroup.controllers").write_text("cpu memory pids\n")
    for name, text in V2.items():
        (root / group / name).write_text(text)
    return root


@pytest.fixture(params=["v1", "v1 nested", "v2 cgroupfs", "v2 systemd", "v2 rootless"])
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    match request.param:
        case "v1":
            return version_1(tmp_path)
        case "v1 nested":
            return version_1(tmp_path, "outer/docker")
        case "v2 cgroupfs":
            return version_2(tmp_path, f"docker/{CONTAINER}")
        case "v2 systemd":
            return version_2(tmp_path, f"system.slice/docker-{CONTAINER}.scope")
        case _:
            return version_2(tmp_path, f"user.slice/user-1000.slice/user@1000.service/docker-{CONTAINER}.scope")


def read(tree: Path, quantity: str) -> int | None:
    path = _cgroupfs.file(quantity, CONTAINER, tree)
    assert path is not None
    return _cgroupfs.number(quantity, path.read_text())


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ("memory.limit", 512 << 20),
        ("memory.usage", 4096),
        ("cpu.quota", 150_000),
        ("cpu.period", 100_000),
        ("pids.limit", 20),
    ],
)
def test_the_same_limit_is_read_from_either_version(tree: Path, quantity: str, expected: int) -> None:
    assert read(tree, quantity) == expected


def test_usage_comes_in_nanoseconds_and_waits_in_seconds_whatever_the_version(tree: Path) -> None:
    assert read(tree, "cpu.usage") in {123_456_789, 123_456_000}
    path = _cgroupfs.file("cpu.stat", CONTAINER, tree)
    assert path is not None
    assert _cgroupfs.throttling(path.read_text()) == (10, 4, 0.25)


def test_kills_are_counted_under_the_same_name_in_either_version(tree: Path) -> None:
    path = _cgroupfs.file("memory.events", CONTAINER, tree)
    assert path is not None
    assert _cgroupfs.flat(path.read_text())["oom_kill"] == 3


def test_a_container_that_does_not_run_has_no_group(tree: Path) -> None:
    assert _cgroupfs.folder("memory", "f" * 64, tree) is None
    assert _cgroupfs.file("memory.limit", "f" * 64, tree) is None


def test_version_2_has_no_swappiness(tmp_path: Path) -> None:
    tree = version_2(tmp_path, f"docker/{CONTAINER}")
    assert _cgroupfs.file("memory.swappiness", CONTAINER, tree) is None


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        ("memory.limit", "9223372036854771712\n"),
        ("memory.limit", "max\n"),
        ("cpu.quota", "-1\n"),
        ("cpu.quota", "max 100000\n"),
        ("pids.limit", "max\n"),
    ],
)
def test_either_version_says_no_limit_in_its_own_way(quantity: str, text: str) -> None:
    assert _cgroupfs.number(quantity, text) is None


def test_statistics_without_bandwidth_control_are_zeros() -> None:
    assert _cgroupfs.throttling("usage_usec 5\n") == (0, 0, 0.0)


def watch(tree: Path, quantities: list[str], ports: dict[str, int] | None = None) -> _cgroupfs.Watch:
    return _cgroupfs.Watch({"it": CONTAINER}, quantities, ports or {}, str(tree))


def test_a_watch_reads_at_even_intervals(tree: Path) -> None:
    seen = watch(tree, ["memory.usage", "memory.limit"]).run(interval_s=0.01, for_s=0.1, patience_s=5)
    moments = [moment for _name, moment, _texts in seen["readings"]]
    assert 5 <= len(moments) <= 12
    assert moments == sorted(moments)
    assert {name for name, _moment, _texts in seen["readings"]} == {"it"}
    assert seen["readings"][0][2]["memory.usage"] == "4096\n"
    assert CONTAINER in seen["paths"]["it"]["memory.usage"]


def test_a_watch_does_without_what_a_kernel_may_leave_out(tmp_path: Path) -> None:
    tree = version_1(tmp_path)
    (tree / "memory/docker" / CONTAINER / "memory.memsw.limit_in_bytes").unlink()
    seen = watch(tree, ["memory.usage", "memory.swap"]).run(interval_s=0.01, for_s=0.0, patience_s=5)
    assert seen["readings"][0][2].keys() == {"memory.usage"}


def test_a_watch_ends_when_the_group_goes(tree: Path) -> None:
    it = watch(tree, ["memory.usage"])
    assert it.find()
    assert it.tick(0)
    it.files["it"]["memory.usage"].unlink()
    assert not it.tick(1)


def test_a_watch_gives_up_on_a_container_that_never_starts(tmp_path: Path) -> None:
    seen = watch(version_1(tmp_path), ["memory.usage"])
    seen.containers = {"it": "f" * 64}
    assert seen.run(interval_s=0.01, for_s=1, patience_s=0.05)["readings"] == []


@contextmanager
def echo() -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as service:
        service.bind(("127.0.0.1", 0))

        def answer() -> None:
            while (got := service.recvfrom(64))[0] != b"stop":
                service.sendto(got[0], got[1])

        thread = threading.Thread(target=answer)
        thread.start()
        port = service.getsockname()[1]
        yield port
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stopper:
            stopper.sendto(b"stop", ("127.0.0.1", port))
        thread.join(5)


def test_a_watch_that_is_always_late_still_sees_replies(tree: Path) -> None:
    with echo() as port:
        it = watch(tree, ["memory.usage"], {"it": port})
        with it.sockets["it"]:
            seen = it.run(interval_s=0.0, for_s=0.1, patience_s=2)
    assert seen["replies"]


def test_a_watch_stamps_requests_and_their_replies(tree: Path) -> None:
    with echo() as port:
        it = watch(tree, ["memory.usage"], {"it": port})
        seen = it.run(interval_s=0.01, for_s=0.1, patience_s=5)
        for one in it.sockets.values():
            one.close()
    assert len(seen["replies"]) >= 5
    assert all(0 < took < 1 for _name, _sent, took in seen["replies"])


def test_the_plan_is_carried_out_as_a_program_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = {
        "containers": {"it": CONTAINER},
        "quantities": ["pids.limit"],
        "ports": {},
        "root": str(version_1(tmp_path)),
        "interval_s": 0.01,
        "for_s": 0.0,
        "patience_s": 5.0,
    }
    _cgroupfs.main(plan)
    first, second = capsys.readouterr().out.splitlines()
    assert first == "watching"
    assert '"20\\n"' in second
