"""Both daemons are told everything, so that nothing of the machine's own configuration is read."""

import json
import tomllib
from pathlib import Path

import pytest

from docker_tutor.engines.private import settings
from docker_tutor.engines.private.layout import Layout
from docker_tutor.engines.programs import Programs


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / "runtime").mkdir()
    return Layout('a"b', tmp_path / "runtime", tmp_path / "data")


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    proxy = tmp_path / "programs/root/usr/sbin/docker-proxy"
    proxy.parent.mkdir(parents=True)
    proxy.touch()
    return Programs(tmp_path / "programs")


def test_every_folder_of_the_daemons_is_below_ours(layout: Layout, programs: Programs) -> None:
    containerd, daemon = settings.write(layout, programs)
    toml = tomllib.loads(containerd.read_text(encoding="utf-8"))
    said = json.loads(daemon.read_text(encoding="utf-8"))
    ours = (layout.runtime, layout.data)
    places = [toml["root"], toml["state"], toml["grpc"]["address"], toml["ttrpc"]["address"]]
    places += [said[key] for key in ("data-root", "exec-root", "pidfile", "containerd")]
    places += [host.removeprefix("unix://") for host in said["hosts"]]
    assert all(any(Path(place).is_relative_to(folder) for folder in ours) for place in places)


def test_the_daemon_uses_our_containerd_and_our_cgroup(layout: Layout, programs: Programs) -> None:
    said = json.loads(settings.write(layout, programs)[1].read_text(encoding="utf-8"))
    assert said["containerd"] == str(layout.containerd_socket)
    assert said["cgroup-parent"] == layout.cgroup_parent
    assert "features" not in said


@pytest.mark.parametrize(("store", "wanted"), [("containerd", True), ("graph", False)])
def test_the_image_store_is_a_setting(
    layout: Layout, programs: Programs, monkeypatch: pytest.MonkeyPatch, store: str, *, wanted: bool
) -> None:
    monkeypatch.setenv("DOCKER_TUTOR_IMAGE_STORE", store)
    said = json.loads(settings.write(layout, programs)[1].read_text(encoding="utf-8"))
    assert said["features"] == {"containerd-snapshotter": wanted}


def test_instances_of_one_name_in_different_folders_share_no_cgroup(tmp_path: Path) -> None:
    parents = {Layout("same", tmp_path / user, tmp_path).cgroup_parent for user in ("one", "two")}
    assert len(parents) == 2
    assert all(parent.startswith("/docker-tutor-same-") for parent in parents)
