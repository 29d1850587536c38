import json
from types import SimpleNamespace
from typing import Any

from docker_tutor.topics import stats

LIMIT = 64 << 20


def report(second: int, used_ns: int, *, processes: int | None = 1, version: int = 1) -> dict[str, Any]:
    cache = "total_inactive_file" if version == 1 else "inactive_file"
    return {
        "read": f"2026-01-02T03:04:{second:02}.123456789Z",
        "cpu_stats": {"cpu_usage": {"total_usage": used_ns}},
        "memory_stats": {"usage": 30 << 20, "limit": LIMIT, "stats": {cache: 10 << 20}},
        "pids_stats": {"current": processes},
        "networks": {"eth0": {"rx_bytes": 3, "tx_bytes": 4}, "eth1": {"rx_bytes": 30, "tx_bytes": 40}},
    }


class Room:
    """An engine that sends these reports and notes whether the connection was given back."""

    def __init__(self, *reports: dict[str, Any]) -> None:
        self.closed = False
        answer = SimpleNamespace(
            iter_lines=lambda: (json.dumps(one).encode() for one in reports),
            close=lambda: setattr(self, "closed", True),
        )
        self.api = SimpleNamespace(base_url="http+docker://localhost", get=lambda *_words, **_wanted: answer)
        container = SimpleNamespace(id="ab12" * 16)
        self.client = SimpleNamespace(containers=SimpleNamespace(get=lambda _name: container))


def room(*reports: dict[str, Any]) -> Any:
    return Room(*reports)


def test_the_connection_is_given_back_however_many_samples_are_wanted() -> None:
    for count in (1, 5):
        engine = room(report(1, 0), report(2, 1), report(3, 2))
        stats.watch(engine, "busy", count=count)
        assert engine.closed


def test_cpu_time_is_what_was_used_between_two_reports() -> None:
    run = stats.watch(room(report(1, 0), report(2, 500_000_000), report(4, 1_500_000_000)), "busy", count=2)
    assert [(one.time_s, one.cpus) for one in run.samples] == [(1.0, 0.5), (3.0, 0.5)]


def test_memory_is_counted_without_the_cache_in_either_version() -> None:
    for version in (1, 2):
        run = stats.watch(room(report(1, 0), report(2, 0, version=version)), "busy", count=1)
        assert run.samples[0].memory_bytes == 20 << 20
        assert run.samples[0].memory_limit_bytes == LIMIT


def test_traffic_is_added_up_over_networks() -> None:
    only = stats.watch(room(report(1, 0), report(2, 0)), "busy", count=1).samples[0]
    assert (only.received_bytes, only.sent_bytes) == (33, 44)


def test_the_stream_ends_with_the_container() -> None:
    assert list(stats.stream(room(report(1, 0), report(2, 1), report(3, 1, processes=None)), "busy"))[1:] == []


def test_a_container_that_does_not_run_gives_no_sample() -> None:
    assert stats.watch(room(report(1, 0, processes=None)), "gone").samples == ()


def test_the_table_has_a_row_for_each_sample() -> None:
    frame = stats.watch(room(report(1, 0), report(2, 500_000_000)), "busy", count=5).to_frame()
    assert frame.to_dict("records") == [
        {"time in s": 1.0, "CPUs used": 0.5, "memory in MiB": 20.0, "limit in MiB": 64.0, "processes": 1}
    ]
