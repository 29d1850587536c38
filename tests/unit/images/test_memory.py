from pathlib import Path

import pytest

from docker_tutor.images import memory
from docker_tutor.images.memory import DeadRegistries


def test_a_dead_registry_is_remembered_by_the_next_session(tmp_path: Path) -> None:
    DeadRegistries("engine", tmp_path / "dead.json").remember("hub", "does not answer")
    assert DeadRegistries("engine", tmp_path / "dead.json").reason("hub") == "does not answer"


def test_what_one_engine_cannot_reach_another_may(tmp_path: Path) -> None:
    DeadRegistries("one", tmp_path / "dead.json").remember("hub", "does not answer")
    assert DeadRegistries("two", tmp_path / "dead.json").reason("hub") == ""


def test_a_registry_is_asked_again_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = DeadRegistries("engine", tmp_path / "dead.json")
    dead.remember("hub", "does not answer")
    monkeypatch.setattr(memory, "KEPT_S", -1)
    assert dead.reason("hub") == ""


def test_a_torn_memory_is_no_memory(tmp_path: Path) -> None:
    (tmp_path / "dead.json").write_text('{"engine hub": [1')
    dead = DeadRegistries("engine", tmp_path / "dead.json")
    assert dead.reason("hub") == ""
    dead.remember("hub", "again")
    assert dead.reason("hub") == "again"


def test_forgetting_makes_every_registry_alive(tmp_path: Path) -> None:
    dead = DeadRegistries("engine", tmp_path / "dead.json")
    dead.remember("hub", "does not answer")
    dead.forget()
    assert dead.reason("hub") == ""
