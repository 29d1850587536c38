"""The record of what was started is believed only where it can be true."""

import json
import os
from pathlib import Path

import pytest

from docker_tutor.engines.private.state import State, read
from docker_tutor.processes import Process, boot_id

MYSELF = Process.of(os.getpid())


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    State("/programs").started("dockerd", os.getpid(), file)
    found = read(file)
    assert found is not None
    assert found.programs == "/programs"
    assert found.process("dockerd") == MYSELF


@pytest.mark.parametrize("text", ["", "{ half", "[]", "null", '{"programs": 1}', '{"processes": {"x": {}}}'])
def test_what_is_no_state_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text, encoding="utf-8")
    assert read(tmp_path / "state.json") is None


def test_a_missing_state_counts_as_none(tmp_path: Path) -> None:
    assert read(tmp_path / "state.json") is None


def test_a_pid_that_began_at_another_time_is_another_process() -> None:
    assert MYSELF is not None
    state = State("/programs", processes={"dockerd": Process(MYSELF.pid, MYSELF.started_ticks + 1)})
    assert state.process("dockerd") is None


def test_a_record_of_another_boot_names_no_process() -> None:
    assert MYSELF is not None
    state = State("/programs", boot="before", processes={"dockerd": MYSELF})
    assert state.process("dockerd") is None
    assert boot_id() != "before"


def test_the_file_is_never_half_written(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    State("/programs").started("dockerd", os.getpid(), file)
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.json"]
    json.loads(file.read_text(encoding="utf-8"))
