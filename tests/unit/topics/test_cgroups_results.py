from docker_tutor.topics.cgroups_cpu import CpuLane, CpuQuota, CpuSample, samples
from docker_tutor.topics.cgroups_memory import MachineView, MemoryRun, MemorySample
from docker_tutor.topics.cgroups_observer import Reading, Reply
from docker_tutor.topics.cgroups_pids import Fork, PidsRun
from docker_tutor.topics.cgroups_shares import CpuShare, CpuShares
from docker_tutor.units import MiB


def lane(*, quota_us: int | None = 25_000) -> CpuLane:
    """Two periods of 100 ms, in each of which 25 ms are used and 75 ms waited, sampled every 25 ms."""
    used = (0.0, 0.025, 0.025, 0.025, 0.025, 0.050, 0.050, 0.050, 0.050)
    ended = (0, 0, 0, 0, 1, 1, 1, 1, 2)
    taken = tuple(
        CpuSample(0.025 * place, used[place], ended[place], ended[place], 0.075 * ended[place]) for place in range(9)
    )
    replies = (Reply(0.01, 0.0001), Reply(0.03, 0.07), Reply(0.08, 0.02), Reply(0.13, 0.07))
    return CpuLane("0.25 CPU", 0.25, quota_us, 100_000, taken, replies)


def test_waits_are_the_steps_of_the_throttled_time() -> None:
    assert [(round(span.start_s, 3), round(span.end_s, 3)) for span in lane().throttled] == [(0.025, 0.1), (0.125, 0.2)]


def test_a_lane_counts_periods_and_cpus() -> None:
    one = lane()
    assert (one.periods, one.throttled_periods, round(one.throttled_s, 3)) == (2, 2, 0.15)
    assert round(one.used_cpus, 3) == 0.25


def test_percentiles_are_latencies_that_were_measured() -> None:
    assert lane().latency_s(0.5) in {0.02, 0.07}
    assert lane().latency_s(0.99) == 0.07
    silent = CpuLane("x", None, None, 100_000, lane().samples, ())
    assert silent.latency_s(0.5) == float("inf")


def test_an_answer_in_the_middle_of_a_wait_is_noticed() -> None:
    honest = lane()
    assert honest.answered_in_a_wait == 0
    lucky = CpuLane("x", 0.25, 25_000, 100_000, honest.samples, (Reply(0.03, 0.001),))
    assert lucky.answered_in_a_wait == 1


def test_counts_begin_with_the_first_reading() -> None:
    texts = [
        {"cpu.usage": "5000000000", "cpu.stat": "nr_periods 7\nnr_throttled 6\nthrottled_time 1000000000\n"},
        {"cpu.usage": "6000000000", "cpu.stat": "nr_periods 9\nnr_throttled 7\nthrottled_time 1500000000\n"},
    ]
    first, second = samples([Reading(float(place), text) for place, text in enumerate(texts)])
    assert (first.used_s, first.periods) == (0.0, 0)
    assert (second.used_s, second.periods, second.throttled_periods, second.throttled_s) == (1.0, 2, 1, 0.5)


def test_a_quota_has_a_row_for_each_container() -> None:
    frame = CpuQuota(1, (lane(), lane(quota_us=None))).to_frame()
    assert list(frame["throttled periods"]) == [2, 2]
    assert frame["quota in ms"].isna().tolist() == [False, True]


def test_shares_are_compared_with_the_weights_read_back() -> None:
    heavy, light = CpuShare(1024, 100, 1.26, ()), CpuShare(512, 59, 0.74, ())
    split = CpuShares(2, "0", (heavy, light))
    assert round(split.expected(0), 3) == 0.629
    assert round(split.measured(0), 2) == 0.63
    assert list(split.to_frame()["weight read back"]) == [100, 59]


def test_a_memory_run_is_a_table_of_its_samples() -> None:
    run = MemoryRun(
        asked_bytes=100 * MiB,
        limit_bytes=64 * MiB,
        swap_bytes=0,
        exit_code=137,
        oom_killed=True,
        oom_kills=1,
        allocated=True,
        finished=False,
        limit_file="/sys/fs/cgroup/memory.max",
        peak_bytes=64 * MiB,
        samples=(MemorySample(0.0, 1 * MiB), MemorySample(0.1, 64 * MiB), MemorySample(0.2, 0)),
    )
    assert list(run.to_frame()["memory used in MiB"]) == [1, 64, 0]


def test_free_and_the_limit_stand_side_by_side() -> None:
    frame = MachineView(8 << 30, 0, 8 << 30, None).to_frame()
    assert frame["memory in MiB"].isna().tolist() == [False, False, True]


def test_refused_forks_are_counted() -> None:
    run = PidsRun(2, "/sys/fs/cgroup/pids.max", 1, (Fork(1, 2, ""), Fork(2, 2, "EAGAIN")))
    assert (run.most_processes, run.refusals) == (2, 1)
    assert list(run.to_frame()["outcome"]) == ["started", "EAGAIN"]
