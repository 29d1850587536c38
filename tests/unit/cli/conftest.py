from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test folders of its own, so that no test sees the learner's course."""
    for name in ("CACHE_HOME", "DATA_HOME", "RUNTIME_DIR"):
        folder = tmp_path / "home" / name.lower()
        folder.mkdir(parents=True)
        monkeypatch.setenv(f"XDG_{name}", str(folder))
    monkeypatch.setenv("DOCKER_TUTOR_INSTANCE", "unit")
    monkeypatch.delenv("DOCKER_TUTOR_ENGINE", raising=False)
    monkeypatch.delenv("DOCKER_TUTOR_TRACEBACK", raising=False)
    return tmp_path / "home"
