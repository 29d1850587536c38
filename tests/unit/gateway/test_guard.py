"""What the guard lets pass and what it refuses, on an engine that is played by a table."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from docker_tutor.gateway.daemon import Answer
from docker_tutor.gateway.labels import OWNER, SCOPE
from docker_tutor.gateway.records import Journal
from docker_tutor.gateway.requests import Reply, Request
from docker_tutor.gateway.rules import ScopeRules

OURS = {SCOPE: "t-1", OWNER: "me"}
NEIGHBOUR = {SCOPE: "t-1", OWNER: "somebody"}


class Table:
    """Answers inspects from a table, and remembers what it was asked to change."""

    def __init__(self) -> None:
        self.changes: list[str] = []
        self.answers: dict[str, Any] = {
            "/containers/ours/json": {"Id": "1", "Name": "/ours", "Config": {"Labels": OURS}},
            "/containers/theirs/json": {"Id": "2", "Name": "/theirs", "Config": {"Labels": None}},
            "/containers/neighbours/json": {"Id": "3", "Name": "/neighbours", "Config": {"Labels": NEIGHBOUR}},
            "/exec/in-theirs/json": {"ContainerID": "theirs"},
            "/exec/in-ours/json": {"ContainerID": "ours"},
            "/networks/ours": {"Id": "4", "Name": "ours", "Labels": OURS},
            "/networks/theirs": {"Id": "5", "Name": "theirs", "Labels": {}},
            "/networks/bridge": {"Id": "6", "Name": "bridge", "Labels": {}},
            "/volumes/ours": {"Name": "ours", "Labels": OURS},
            "/volumes/theirs": {"Name": "theirs", "Labels": None},
            "/images/theirs:1/json": {"Id": "sha256:7", "RepoTags": ["theirs:1"], "Config": {}},
            "/images/7/json": {"Id": "sha256:7", "RepoTags": ["theirs:1"], "Config": {}},
            "/images/json": [{"Id": "sha256:7", "RepoTags": ["theirs:1"]}],
        }

    async def call(self, method: str, path: str, *_query: Any, **_body: Any) -> Answer:
        """Answer as the daemon would."""
        if method != "GET":
            self.changes.append(f"{method} {path}")
            return Answer(201, (), b"{}")
        found = self.answers.get(path)
        return Answer(404 if found is None else 200, (), json.dumps(found).encode())


def judge(folder: Path, method: str, target: str, body: dict[str, Any] | None = None) -> Reply | None:
    journal = Journal(folder)
    try:
        rules = ScopeRules("t-1", "me", Table(), journal, disposable=False)  # type: ignore[arg-type]
        request = Request.parse(method, target)
        request.body = body
        return asyncio.run(rules.before(request))
    finally:
        journal.close()


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("DELETE", "/v1.45/containers/theirs?force=1", None),
        ("DELETE", "/containers/neighbours", None),
        ("POST", "/containers/theirs/stop", None),
        ("POST", "/containers/theirs/update", {}),
        ("POST", "/containers/theirs/exec", {}),
        ("POST", "/containers/theirs/attach?stdin=1&stream=1", None),
        ("GET", "/containers/theirs/attach/ws?stdin=1", None),
        ("PUT", "/containers/theirs/archive?path=/", None),
        ("POST", "/exec/in-theirs/start", None),
        ("POST", "/commit?container=theirs", {}),
        ("DELETE", "/networks/theirs", None),
        ("POST", "/networks/ours/connect", {"Container": "theirs"}),
        ("POST", "/networks/theirs/connect", {"Container": "ours"}),
        ("POST", "/networks/theirs/disconnect", {"Container": "theirs", "Force": True}),
        ("DELETE", "/volumes/theirs?force=1", None),
        ("DELETE", "/images/theirs:1", None),
        ("DELETE", "/images/7?force=1", None),
        ("POST", "/images/other/tag?repo=theirs&tag=1", None),
        ("POST", "/build?t=fine&t=theirs%3A1", None),
        ("POST", "/images/create?fromImage=theirs&tag=1", None),
        ("POST", "/images/create?fromImage=docker.io%2Flibrary%2Ftheirs", None),
        ("POST", "/images/create?fromSrc=-&repo=theirs&tag=1", None),
        ("POST", "/containers/create", {"HostConfig": {"VolumesFrom": ["theirs:ro"]}}),
        ("POST", "/containers/create", {"HostConfig": {"PidMode": "container:theirs"}}),
        ("POST", "/containers/create", {"HostConfig": {"NetworkMode": "container:theirs"}}),
        ("POST", "/containers/create", {"HostConfig": {"NetworkMode": "theirs"}}),
        ("POST", "/containers/create", {"NetworkingConfig": {"EndpointsConfig": {"theirs": {}}}}),
        ("POST", "/swarm/leave?force=1", None),
        ("POST", "/services/create", {}),
        ("POST", "/plugins/x/disable", None),
        ("POST", "/something/new", None),
        ("POST", "/containers/prune?filters={%22until%22:[%22whenever%22]}", None),
    ],
)
def test_a_change_to_what_is_not_ours_is_refused(
    tmp_path: Path, method: str, target: str, body: dict[str, Any] | None
) -> None:
    reply = judge(tmp_path, method, target, body)
    assert reply is not None
    assert reply.status in {400, 403, 409}
    assert reply.message.count("\n") == 0
    assert "course" in reply.message


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("DELETE", "/containers/ours?force=1", None),
        ("DELETE", "/containers/not-there", None),
        ("POST", "/containers/ours/exec", {}),
        ("POST", "/exec/in-ours/start", None),
        ("POST", "/containers/theirs/wait", None),
        ("POST", "/containers/theirs/attach?stdout=1&stream=1", None),
        ("POST", "/networks/bridge/connect", {"Container": "ours"}),
        ("POST", "/networks/ours/connect", {"Container": "ours"}),
        ("DELETE", "/networks/ours", None),
        ("DELETE", "/volumes/ours", None),
        ("POST", "/images/theirs:1/tag?repo=ours&tag=1", None),
        ("POST", "/images/create?fromImage=new&tag=1", None),
        ("POST", "/images/create?fromImage=theirs&tag=sha256%3Aabc", None),
        ("POST", "/images/theirs:1/push", None),
        ("POST", "/build?t=ours", None),
        ("POST", "/auth", None),
        ("GET", "/containers/theirs/logs", None),
        ("GET", "/swarm", None),
        ("POST", "/containers/create", {"HostConfig": {"NetworkMode": "bridge", "VolumesFrom": ["ours"]}}),
    ],
)
def test_what_is_ours_and_what_only_reads_may_pass(
    tmp_path: Path, method: str, target: str, body: dict[str, Any] | None
) -> None:
    assert judge(tmp_path, method, target, body) is None


def test_a_prune_of_the_build_cache_is_answered_and_does_nothing(tmp_path: Path) -> None:
    assert judge(tmp_path, "POST", "/build/prune?all=1") == Reply(200, {"CachesDeleted": None, "SpaceReclaimed": 0})
