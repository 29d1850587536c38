"""`import docker_tutor` costs next to nothing, and every name of it is there when it is asked for."""

import importlib
import subprocess
import sys

import pytest

import docker_tutor

HEAVY = {"docker", "ipywidgets", "matplotlib", "pandas", "IPython"}


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, docker_tutor; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not HEAVY & set(loaded)
    assert [name for name in loaded if name.startswith("docker_tutor")] == ["docker_tutor"]


@pytest.mark.parametrize("name", docker_tutor.__all__)
def test_every_exported_name_can_be_had(name: str) -> None:
    assert getattr(docker_tutor, name) is not None
    assert name in dir(docker_tutor)


def test_a_topic_is_found_by_its_name_without_a_list_of_them() -> None:
    topics = importlib.import_module("docker_tutor.topics")
    assert docker_tutor.namespaces is topics.namespaces
    assert "namespaces" in dir(docker_tutor)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'hovercraft'"):
        _ = docker_tutor.hovercraft


def test_a_topic_that_lacks_a_library_says_which_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def import_module(name: str) -> object:
        raise ModuleNotFoundError("No module named 'docker'", name="docker")

    monkeypatch.delitem(vars(docker_tutor), "namespaces", raising=False)
    monkeypatch.setattr(docker_tutor.importlib, "import_module", import_module)
    with pytest.raises(ModuleNotFoundError, match="docker"):
        _ = docker_tutor.namespaces
