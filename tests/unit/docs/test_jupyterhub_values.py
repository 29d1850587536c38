"""The values for a class on JupyterHub hold against what the chart's schema says of them.

What is used of the schema is told here in our own words: for `singleuser` and `cull` all keys that the chart takes (it
refuses others), and the types of those that we set. Source: jupyterhub/zero-to-jupyterhub-k8s,
`jupyterhub/values.schema.yaml`; `helm lint` checks against the schema of the version that is installed.
"""

from copy import deepcopy
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from docker_tutor import paths

VALUES: dict[str, Any] = yaml.safe_load((paths.checkout() / "docs" / "jupyterhub-values.yaml").read_text("utf-8"))
ANY: dict[str, Any] = {}
SINGLEUSER_HAS_TOO = (
    "events",
    "extraAnnotations",
    "extraContainers",
    "extraFiles",
    "extraLabels",
    "extraNodeAffinity",
    "extraPodAffinity",
    "extraPodAntiAffinity",
    "extraPodConfig",
    "extraResource",
    "extraTolerations",
    "initContainers",
    "lifecycleHooks",
    "networkPolicy",
    "networkTools",
    "nodeSelector",
    "podNameTemplate",
    "profileList",
    "serviceAccountName",
)


def closed(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": properties}


def of(*kinds: str) -> dict[str, Any]:
    return {"type": list(kinds)}


SINGLEUSER = closed(
    **dict.fromkeys(SINGLEUSER_HAS_TOO, ANY),
    image=closed("name", "tag", name=of("string"), tag=of("string"), pullPolicy=ANY, pullSecrets=of("array")),
    uid=of("integer", "null"),
    fsGid=of("integer", "null"),
    allowPrivilegeEscalation=of("boolean", "null"),
    cmd=of("array", "string", "null"),
    defaultUrl=of("string", "null"),
    startTimeout=of("integer", "null"),
    memory=closed(limit=of("number", "string", "null"), guarantee=of("number", "string", "null")),
    cpu=closed(limit=of("number", "null"), guarantee=of("number", "null")),
    extraEnv=of("object", "array"),
    cloudMetadata=closed("blockWithIptables", "ip", blockWithIptables=of("boolean"), ip=of("string")),
    storage=closed(
        "type",
        "homeMountPath",
        type={"enum": ["dynamic", "static", "none"]},
        homeMountPath=of("string"),
        capacity=of("string", "null"),
        dynamic=of("object"),
        static=of("object"),
        extraLabels=of("object"),
        extraVolumes=of("array"),
        extraVolumeMounts=of("array"),
    ),
)
CULL = closed(
    "enabled",
    enabled=of("boolean"),
    **dict.fromkeys(("users", "adminUsers", "removeNamedServers"), of("boolean", "null")),
    **dict.fromkeys(("timeout", "every", "concurrency", "maxAge"), of("integer", "null")),
)
HUB = {"type": "object", "properties": {"config": of("object")}}
CHART = Draft7Validator(closed(hub=HUB, singleuser=SINGLEUSER, cull=CULL))


def test_the_chart_would_take_our_values() -> None:
    assert [error.message for error in CHART.iter_errors(VALUES)] == []
    assert set(VALUES["hub"]) == {"config"}  # more of it is not checked here


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("singleuser", "memory", "limits"), "4G"),
        (("singleuser", "cpu", "limit"), "2"),
        (("singleuser", "storage", "type"), "permanent"),
        (("singleuser", "startTimeout"), "5m"),
        (("cull", "timeouts"), 3600),
        (("singleusers",), {}),
    ],
)
def test_it_would_refuse_a_slip(place: tuple[str, ...], value: object) -> None:
    values = deepcopy(VALUES)
    inner = values
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    assert list(CHART.iter_errors(values))


def test_nobody_is_privileged_and_the_engine_is_the_students_own() -> None:
    student = VALUES["singleuser"]
    assert student["allowPrivilegeEscalation"] is False
    assert student["uid"] != 0
    assert student["extraEnv"]["DOCKER_TUTOR_ENGINE"] == "uml"
    mounts = {mount["name"] for mount in student["storage"]["extraVolumeMounts"]}
    assert mounts == {volume["name"] for volume in student["storage"]["extraVolumes"]}
    assert not [volume for volume in student["storage"]["extraVolumes"] if "hostPath" in volume]
