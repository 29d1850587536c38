import dataclasses

import pytest

from docker_tutor.plots import cpu_under_quota, memory_until_killed, pids_until_refused, shares_split, stats_over_time
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.cgroups_cpu import CpuLane, CpuQuota, CpuSample
from docker_tutor.topics.cgroups_memory import MemoryRun, MemorySample
from docker_tutor.topics.cgroups_observer import Reply
from docker_tutor.topics.cgroups_pids import Fork, PidsRun
from docker_tutor.topics.cgroups_shares import CpuShare, CpuShares
from docker_tutor.topics.stats import StatsRun, StatsSample
from docker_tutor.units import MiB

KILLED = MemoryRun(
    asked_bytes=100 * MiB,
    limit_bytes=64 * MiB,
    swap_bytes=0,
    exit_code=137,
    oom_killed=True,
    oom_kills=1,
    allocated=True,
    finished=False,
    limit_file="",
    peak_bytes=64 * MiB,
    samples=tuple(MemorySample(place / 100, min(place, 64) * MiB) for place in range(80)),
)
LANE = CpuLane(
    "0.25 CPU",
    0.25,
    25_000,
    100_000,
    tuple(CpuSample(place / 100, place / 400, place // 10, place // 10, 0.075 * (place // 10)) for place in range(101)),
    tuple(Reply(place / 100, 0.07 - place % 7 / 100) for place in range(100)),
)
SPLIT = CpuShares(1, "0", (CpuShare(1024, 1024, 1.3, ()), CpuShare(512, 512, 0.7, ())))
FORKS = PidsRun(3, "", 1, (Fork(1, 2, ""), Fork(2, 3, ""), Fork(3, 3, "EAGAIN")))
STATS = StatsRun("busy", tuple(StatsSample(float(second), 0.5, 23 * MiB, 64 * MiB, 1, 0, 0) for second in range(1, 15)))

PICTURES = {
    "memory": lambda: memory_until_killed(KILLED),
    "memory without a limit": lambda: memory_until_killed(
        dataclasses.replace(KILLED, limit_bytes=None, oom_killed=False, exit_code=0, finished=True)
    ),
    "quota": lambda: cpu_under_quota(CpuQuota(1, (LANE, dataclasses.replace(LANE, quota_us=None, replies=())))),
    "shares": lambda: shares_split(SPLIT),
    "three shares": lambda: shares_split(CpuShares(1, "0", (*SPLIT.containers, CpuShare(2, 2, 0.001, ())))),
    "pids": lambda: pids_until_refused(FORKS),
    "pids without a limit": lambda: pids_until_refused(PidsRun(None, "", 0, FORKS.forks[:2])),
    "stats": lambda: stats_over_time(STATS),
    "stats of a container that has stopped": lambda: stats_over_time(StatsRun("gone", ())),
}


@pytest.fixture(params=PICTURES, scope="module")
def picture(request: pytest.FixtureRequest) -> Picture:
    return PICTURES[request.param]()


def test_a_picture_can_be_read_aloud_and_as_a_table(picture: Picture) -> None:
    assert len(picture.alt) > 30
    assert picture.alt.endswith(".")
    assert len(picture.table) <= 30
    assert picture.png.startswith(b"\x89PNG")


def test_every_axis_says_what_it_shows(picture: Picture) -> None:
    for axes in picture.figure.axes:
        assert axes.get_ylabel() or any(label.get_text() for label in axes.get_yticklabels())
    assert any(axes.get_xlabel() for axes in picture.figure.axes)


def test_the_kill_is_told_where_there_was_one() -> None:
    assert "kills the program" in PICTURES["memory"]().alt
    assert "nothing is killed" in PICTURES["memory without a limit"]().alt


def test_the_quotas_picture_tells_throttled_periods_and_both_percentiles() -> None:
    alt = PICTURES["quota"]().alt
    assert "throttled in 10 of 10 periods" in alt
    assert "99th percentile" in alt


def test_the_split_is_told_with_what_the_weights_promise() -> None:
    assert "65 % to the one with 1024 shares" in shares_split(SPLIT).alt
    assert "67:33" in shares_split(SPLIT).alt


def test_refusals_are_counted_aloud() -> None:
    assert "1 attempts are refused" in pids_until_refused(FORKS).alt


def test_the_stats_table_keeps_the_last_ten() -> None:
    assert len(stats_over_time(STATS).table) == 10
