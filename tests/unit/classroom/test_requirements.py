from dataclasses import replace

import pytest

from docker_tutor.classroom.abilities import abilities
from docker_tutor.classroom.requirements import REQUIREMENTS, missing
from docker_tutor.engines.base import Capabilities

ABLE = Capabilities(
    engine_version="28.5.2",
    api_version="1.51",
    image_store="graph",
    storage_driver="overlay2",
    cgroup_version=1,
    cgroup_driver="cgroupfs",
    cpus=2,
    memory_bytes=4 << 30,
    swap_limit=True,
    buildx="0.29.1",
    compose="2.40.3",
    swarm=True,
    ipvs=True,
    runtimes=("runc", "crun"),
    cache_export_local=True,
    host_processes=True,
    host_cgroups=True,
    host_layers=True,
    disposable=True,
)
UNABLE = replace(
    ABLE,
    cpus=1,
    swap_limit=False,
    buildx=None,
    compose=None,
    swarm=False,
    ipvs=False,
    cache_export_local=False,
    host_processes=False,
    host_cgroups=False,
    host_layers=False,
    disposable=False,
    cgroup_driver="none",
)
EITHER = {"cgroup_v1", "cgroup_v2", "graph_store", "containerd_store"}


@pytest.mark.parametrize("name", sorted(set(REQUIREMENTS) - EITHER))
def test_what_an_engine_has_is_not_missed_and_what_it_lacks_is_said_in_one_sentence(name: str) -> None:
    assert missing(ABLE, name) is None
    sentence = missing(UNABLE, name)
    assert sentence.startswith("This ")
    assert sentence.endswith(".")
    assert "\n" not in sentence


@pytest.mark.parametrize(("one", "other"), [("cgroup_v1", "cgroup_v2"), ("graph_store", "containerd_store")])
def test_of_two_ways_to_be_an_engine_has_one(one: str, other: str) -> None:
    flipped = replace(ABLE, cgroup_version=2, image_store="containerd")
    assert missing(ABLE, one) is None
    assert missing(ABLE, other)
    assert missing(flipped, other) is None
    assert missing(flipped, one)


def test_a_runtime_is_asked_for_by_its_name() -> None:
    assert missing(ABLE, "runtime:crun") is None
    assert missing(ABLE, "runtime:runsc") == "This needs the runtime runsc, and this engine has only runc, crun."


def test_a_capability_nobody_knows_is_a_mistake_of_the_author() -> None:
    with pytest.raises(KeyError, match="warp_drive"):
        missing(ABLE, "warp_drive")


def test_every_ability_is_told_with_what_the_course_needs_it_for_and_what_to_do_without() -> None:
    assert abilities(ABLE).missing == ()
    lacking = {row.what: row for row in abilities(UNABLE).missing}
    assert set(lacking) >= {"BuildKit", "Compose", "Swarm", "IPVS", "limit on swap", "two CPUs"}
    assert all(row.found == "no" and row.needed_for and row.advice.endswith(".") for row in lacking.values())
    frame = abilities(UNABLE).to_frame()
    assert {found[0] for found in frame["here"]} == {"✓", "✗"}
    assert "✓ 28.5.2" in frame["here"].to_list()
    shown = abilities(UNABLE)._repr_mimebundle_()
    for kind in ("text/html", "text/plain"):
        assert "this engine has one: give its machine a second one." in shown[kind]


def test_a_shim_is_no_runtime() -> None:
    able = replace(ABLE, runtimes=("io.containerd.runc.v2", "runc"))
    assert [row.found for row in abilities(able).rows if row.what == "runtimes"] == ["runc"]
