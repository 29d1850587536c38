from dataclasses import replace
from pathlib import Path

from docker_tutor.gateway.records import Call, Journal, read_calls, read_ledger

CALL = Call("GET", "/info", 200, 10.0, 0.1, 0, 7, upgraded=False)


def test_calls_come_back_in_the_order_in_which_they_were_started(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.call(CALL)
    journal.call(replace(CALL, started_s=5.0, path="/attach"))
    assert [call.path for call in read_calls(tmp_path)] == ["/attach", "/info"]
    journal.close()


def test_a_line_that_was_cut_off_by_a_kill_is_left_out(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.call(CALL)
    journal.close()
    with (tmp_path / "calls.jsonl").open("a") as stream:
        stream.write('{"method": "GE')
    assert read_calls(tmp_path) == [CALL]


def test_the_ledger_has_each_thing_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for _time in range(2):
        journal.note("tag", "web:1", "sha256:1", "sha256:0")
    journal.note("pulled", "alpine:3.19")
    journal.close()
    ledger = read_ledger(tmp_path)
    assert [(e.kind, e.name, e.id, e.earlier) for e in ledger] == [
        ("tag", "web:1", "sha256:1", "sha256:0"),
        ("pulled", "alpine:3.19", "", ""),
    ]
    assert len(ledger.of("tag")) == 1


def test_nothing_written_is_nothing_read(tmp_path: Path) -> None:
    assert read_calls(tmp_path) == []
    assert len(read_ledger(tmp_path)) == 0
