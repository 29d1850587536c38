from types import SimpleNamespace
from typing import Any

import pytest

from docker_tutor.topics import _cgroupfs, cgroups_limits
from docker_tutor.topics.cgroups_limits import Limits, limits, older_weight_of_shares, weight_of_shares

CONTAINER = "ab12" * 16
ASKED = {"Memory": 512 << 20, "MemorySwap": 1 << 30, "NanoCpus": 1_500_000_000, "CpuShares": 512, "PidsLimit": None}
READ = {
    1: {
        "memory.limit": "536870912",
        "memory.swap": "1073741824",
        "cpu.quota": "150000",
        "cpu.period": "100000",
        "cpu.weight": "512",
        "pids.limit": "max",
    },
    2: {
        "memory.limit": "536870912",
        "memory.swap": "536870912",
        "cpu.quota": "150000 100000",
        "cpu.period": "150000 100000",
        "cpu.weight": "59",
        "pids.limit": "max",
    },
}


def read_back(monkeypatch: pytest.MonkeyPatch, version: int, **changed: str | None) -> Limits:
    texts = {**READ[version], **{key.replace("_", "."): text for key, text in changed.items()}}
    files = {
        quantity: (f"/sys/fs/cgroup/{CONTAINER}/{getattr(_cgroupfs.PLACES[quantity], f'v{version}')}", text)
        for quantity, text in texts.items()
        if text is not None
    }
    monkeypatch.setattr(cgroups_limits, "look", lambda *_arguments: (version, files))
    container = SimpleNamespace(id=CONTAINER, attrs={"HostConfig": ASKED})
    room: Any = SimpleNamespace(client=SimpleNamespace(containers=SimpleNamespace(get=lambda _name: container)))
    return limits(room, "nginx")


@pytest.mark.parametrize("version", [1, 2])
def test_both_versions_come_to_the_same_limits(monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    found = read_back(monkeypatch, version)
    assert (found.memory_bytes, found.swap_bytes, found.cpus, found.pids) == (512 << 20, 512 << 20, 1.5, None)
    assert found.cpu_weight in found.weights_for(512)
    assert found.cpu_weight not in found.weights_for(1024)


@pytest.mark.parametrize("version", [1, 2])
def test_the_table_shows_both_versions_side_by_side(monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    frame = read_back(monkeypatch, version).to_frame()
    assert list(frame["flag"]) == ["--memory", "--memory-swap", "--cpus", "--cpu-shares", "--pids-limit"]
    assert list(frame["version 1"])[1] == "memory.memsw.limit_in_bytes: 1073741824"
    assert list(frame["version 2"])[1] == "memory.swap.max: 536870912"
    assert list(frame["version 1"])[2] == "cpu.cfs_quota_us: 150000, cpu.cfs_period_us: 100000"
    assert list(frame["version 2"])[2] == "cpu.max: 150000 100000"
    assert not frame["file read here"].str.contains(CONTAINER).any()


@pytest.mark.parametrize("version", [1, 2])
def test_no_limit_is_said_in_words_and_in_none(monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    quota = "-1" if version == 1 else "max 100000"
    found = read_back(monkeypatch, version, memory_limit="max", memory_swap="max", cpu_quota=quota)
    assert (found.memory_bytes, found.swap_bytes, found.cpus) == (None, None, None)
    assert list(found.to_frame()["meaning"])[:3] == ["no limit", "no limit of its own", "no limit"]


def test_a_kernel_without_swap_accounting_is_not_a_limit_of_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read_back(monkeypatch, 1, memory_swap=None)
    assert found.swap_bytes is None
    assert list(found.to_frame()["file read here"])[1] == "not kept by this kernel"


@pytest.mark.parametrize(
    ("shares", "newer", "older"), [(1024, 100, 39), (512, 59, 20), (2, 1, 1), (262_144, 10_000, 10_000)]
)
def test_shares_become_weights_as_the_runtimes_convert_them(shares: int, newer: int, older: int) -> None:
    assert weight_of_shares(shares) == newer
    assert older_weight_of_shares(shares) == older
