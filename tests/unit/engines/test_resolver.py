"""The engine asked for is the engine one gets, or one clear sentence."""

import os

import pytest

from docker_tutor import engines
from docker_tutor.engines import resolver
from docker_tutor.errors import EngineError, EngineNotFound, EngineNotPermitted, UnknownEngine


class Fake:
    """An engine that is there, or is not."""

    def __init__(
        self, kind: str, *, disposable: bool, state: str = "stopped", error: EngineError | None = None
    ) -> None:
        self.kind = kind
        self.disposable = disposable
        self.state = state
        self.error = error

    def __call__(self) -> "Fake":
        if self.error and self.disposable:
            raise self.error
        return self

    def up(self) -> None:
        if self.error:
            raise self.error

    def status(self) -> "Fake":
        return self


def given(monkeypatch: pytest.MonkeyPatch, existing: Fake, private: Fake, machine: Fake | None = None) -> None:
    monkeypatch.delenv("DOCKER_TUTOR_ENGINE", raising=False)
    kinds = {"existing": existing, "private": private, "uml": machine or Fake("uml", disposable=True, error=NO_CPU)}
    monkeypatch.setattr(resolver, "KINDS", kinds)


NO_DAEMON = EngineNotFound("no daemon")
NO_ROOT = EngineNotFound("no root")
NO_CPU = EngineNotFound("no such processor")


def test_an_unknown_name_is_answered_with_the_names_there_are() -> None:
    with pytest.raises(UnknownEngine, match=r"quemu.*auto, existing, private"):
        engines.resolve("quemu")


def test_the_setting_is_used_when_nothing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_TUTOR_ENGINE", "umm")
    with pytest.raises(UnknownEngine, match="umm"):
        engines.resolve()


def test_an_argument_goes_before_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, Fake("existing", disposable=False), Fake("private", disposable=True))
    monkeypatch.setenv("DOCKER_TUTOR_ENGINE", "existing")
    assert engines.resolve("private").kind == "private"


def test_a_daemon_that_answers_is_taken_first(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, Fake("existing", disposable=False), Fake("private", disposable=True))
    assert engines.resolve().kind == "existing"


def test_without_a_daemon_a_private_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, Fake("existing", disposable=False, error=NO_DAEMON), Fake("private", disposable=True))
    assert engines.resolve("auto").kind == "private"


def test_without_daemon_and_root_a_virtual_machine_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    existing = Fake("existing", disposable=False, error=NO_DAEMON)
    given(monkeypatch, existing, Fake("private", disposable=True, error=NO_ROOT), Fake("uml", disposable=True))
    assert engines.resolve().kind == "uml"


def test_a_virtual_machine_on_another_processor_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("docker_tutor.engines.vm.uml.processor", lambda: "aarch64")
    with pytest.raises(EngineNotFound, match="x86-64"):
        engines.resolve("uml")


def test_a_private_engine_that_runs_is_the_one_that_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, Fake("existing", disposable=False), Fake("private", disposable=True, state="running"))
    assert engines.resolve().kind == "private"


def test_nothing_at_all_is_one_sentence_saying_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    existing = Fake("existing", disposable=False, error=NO_DAEMON)
    given(monkeypatch, existing, Fake("private", disposable=True, error=NO_ROOT))
    with pytest.raises(EngineNotFound, match=r"start Docker, point DOCKER_HOST at one, or run the course as root"):
        engines.resolve()


def test_a_socket_without_rights_is_said_when_there_is_no_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    existing = Fake("existing", disposable=False, error=EngineNotPermitted("join the group"))
    given(monkeypatch, existing, Fake("private", disposable=True, error=NO_ROOT))
    with pytest.raises(EngineNotPermitted, match="join the group"):
        engines.resolve()


def test_a_private_engine_without_root_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(EngineNotFound, match="needs root"):
        engines.resolve("private")


def test_a_private_engine_elsewhere_than_on_linux_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(EngineNotFound, match="needs Linux"):
        engines.resolve("private")
