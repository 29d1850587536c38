import dataclasses

import pytest

from docker_tutor.cli.findings import judge
from docker_tutor.engines.base import Capabilities
from docker_tutor.units import GiB

RICH = Capabilities(
    engine_version="28.5.2",
    api_version="1.51",
    image_store="graph",
    storage_driver="overlay2",
    cgroup_version=2,
    cgroup_driver="cgroupfs",
    cpus=2,
    memory_bytes=4 * GiB,
    swap_limit=True,
    buildx="0.29.1",
    compose="2.40.3",
    swarm=True,
    ipvs=True,
    runtimes=("runc",),
    cache_export_local=True,
    host_processes=True,
    host_cgroups=True,
    host_layers=True,
    disposable=True,
)


def test_an_engine_that_can_do_everything_gets_no_advice() -> None:
    assert [finding.what for finding in judge(RICH) if finding.advice] == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (field.name, None if field.name in {"buildx", "compose"} else False)
        for field in dataclasses.fields(Capabilities)
        if field.name in {"buildx", "compose"} or isinstance(getattr(RICH, field.name), bool)
    ],
)
def test_whatever_is_missing_is_said_once_with_what_to_do(field: str, value: bool | None) -> None:
    advised = [finding for finding in judge(dataclasses.replace(RICH, **{field: value})) if finding.advice]
    assert len(advised) == 1
    assert len(advised[0].advice) > 20
