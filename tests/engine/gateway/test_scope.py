"""What belongs to a scope: labels, names, images, the record, and what is removed when it is closed."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import pytest

from docker_tutor.engines.base import Engine
from docker_tutor.errors import GatewayError
from docker_tutor.gateway import Gateway, cleanup, labels

pytestmark = pytest.mark.engine

# The fixtures' own types live in conftest.py, which a test module cannot import.
Docker = Callable[..., str]
Door = Any
Opened = Callable[..., Door]


def label_of(direct: Docker, kind: str, name: str) -> str:
    where = ".Config.Labels" if kind == "container" else ".Labels"
    return direct(kind, "inspect", "-f", f'{{{{index {where} "{labels.SCOPE}"}}}}', name)


def test_what_is_made_carries_the_scopes_label(door: Door, direct: Docker) -> None:
    door("network", "create", "gw-net")
    door("volume", "create", "gw-vol")
    door("run", "-d", "--name", "gw-one", "--network", "gw-net", "-v", "gw-named:/a", "tiny", "sleep", "600")
    door("run", "-d", "--name", "gw-two", "--mount", "type=volume,src=gw-mounted,dst=/a", "tiny", "sleep", "600")
    made = [("container", "gw-one"), ("container", "gw-two"), ("network", "gw-net")]
    made += [("volume", name) for name in ("gw-vol", "gw-named", "gw-mounted")]
    assert {label_of(direct, kind, name) for kind, name in made} == {door.gateway.scope}
    cleaned = door.gateway.close()
    assert set(cleaned.containers) == {"gw-one", "gw-two"}
    assert set(cleaned.networks) == {"gw-net"}
    assert set(cleaned.volumes) == {"gw-vol", "gw-named", "gw-mounted"}
    assert cleaned.leftovers == ()


def test_an_anonymous_volume_that_rm_left_behind_is_removed(door: Door, direct: Docker) -> None:
    before = set(direct("volume", "ls", "-q").split())
    door("run", "--name", "gw-anon", "-v", "/data", "tiny", "echo")
    door("rm", "gw-anon")
    assert set(direct("volume", "ls", "-q").split()) - before
    door.gateway.close()
    assert set(direct("volume", "ls", "-q").split()) == before


def test_images_that_the_scope_made_or_tagged_go_and_others_stay(
    door: Door, direct: Docker, build_folder: Path
) -> None:
    before = direct("images", "-aq", "--no-trunc")
    door("buildx", "build", str(build_folder))
    door("buildx", "build", "-t", "gw-named:1", "-t", "gw-named:2", str(build_folder))
    door("tag", "tiny", "gw-tag:1")
    container = door("create", "tiny", "echo")
    door("commit", container, "gw-commit:1")
    cleaned = door.gateway.close()
    assert {"gw-named:1", "gw-named:2", "gw-tag:1", "gw-commit:1"} <= set(cleaned.images)
    assert direct("images", "-aq", "--no-trunc") == before


def test_a_name_that_the_scope_moved_goes_back_to_the_image_that_had_it(
    door: Door, direct: Docker, build_folder: Path
) -> None:
    direct("tag", "tiny", "gw-moved:1")
    door("buildx", "build", "-t", "gw-moved:1", str(build_folder))
    assert direct("inspect", "-f", "{{.Id}}", "gw-moved:1") != direct("inspect", "-f", "{{.Id}}", "tiny")
    door.gateway.close()
    assert direct("inspect", "-f", "{{.Id}}", "gw-moved:1") == direct("inspect", "-f", "{{.Id}}", "tiny")
    direct("rmi", "gw-moved:1")


def test_a_cell_run_twice_frees_its_own_names(door: Door, opened: Opened) -> None:
    door("network", "create", "gw-again")
    first = door("run", "-d", "--name", "gw-again", "--network", "gw-again", "tiny", "sleep", "600")
    door("network", "create", "gw-again")
    second = door("run", "-d", "--name", "gw-again", "--network", "gw-again", "tiny", "sleep", "600")
    assert first != second
    assert door("ps", "-aq", "--no-trunc") == second


def test_a_volume_keeps_its_data_when_a_cell_is_run_twice(door: Door) -> None:
    run = ("run", "--rm", "-v", "gw-keep:/d", "tiny", "sh", "-c")
    door(*run, "echo kept > /d/file")
    door("volume", "create", "gw-keep")
    assert door(*run, "cat /d/file") == "kept"


def test_a_name_that_another_scope_holds_works_in_both(opened: Opened) -> None:
    one, two = opened("one-aaaa"), opened("two-bbbb")
    for door in (one, two):
        door("network", "create", "gw-same")
        door("run", "-d", "--name", "gw-web", "--network", "gw-same", "-v", "gw-data:/d", "tiny", "sleep", "600")
        door("exec", "gw-web", "sh", "-c", f"echo {door.gateway.scope} > /d/who; hostname > /d/host")
    for door in (one, two):
        assert door("exec", "gw-web", "cat", "/d/who") == door.gateway.scope
        assert door("run", "--rm", "-v", "gw-data:/d", "tiny", "cat", "/d/who") == door.gateway.scope
        assert door("run", "--rm", "--volumes-from", "gw-web", "tiny", "cat", "/d/who") == door.gateway.scope
        # The typed name is found by the network's own DNS, and is this scope's container.
        mine = door("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", "gw-web")
        script = "wget -q -O- http://gw-web/ || true; cat /etc/hosts > /dev/null"
        door("run", "--rm", "--network", "gw-same", "tiny", "sh", "-c", script)
        assert mine
    assert two("inspect", "-f", "{{.Name}}", "gw-web") == "/gw-web-bbbb"
    assert two.gateway.ledger().of("alias")[0].id.endswith("-bbbb")
    # Run again, it frees its own and not the neighbour's.
    two("run", "-d", "--name", "gw-web", "--network", "gw-same", "tiny", "sleep", "600")
    assert two("inspect", "-f", "{{.Name}}", "gw-web") == "/gw-web-bbbb"
    assert one("inspect", "-f", "{{.State.Running}}", "gw-web") == "true"
    two("rm", "-f", "gw-web")
    assert one("inspect", "-f", "{{.State.Running}}", "gw-web") == "true"


def test_the_typed_name_resolves_by_dns_behind_an_alias(opened: Opened) -> None:
    one, two = opened("one-aaaa"), opened("two-bbbb")
    one("run", "-d", "--name", "gw-page", "tiny", "sleep", "600")
    two("network", "create", "gw-dns")
    two("run", "-d", "--name", "gw-page", "--network", "gw-dns", "tiny", "httpd", "-f", "-h", "/www")
    assert two("run", "--rm", "--network", "gw-dns", "tiny", "wget", "-q", "-O-", "http://gw-page/") == "hello"
    two("network", "create", "gw-second")
    two("network", "connect", "gw-second", "gw-page")
    assert two("run", "--rm", "--network", "gw-second", "tiny", "wget", "-q", "-O-", "http://gw-page/") == "hello"


def test_the_record_tells_what_the_command_asked(door: Door) -> None:
    door("run", "--rm", "tiny", "echo", "hi")
    calls = [(call.method, call.path.split("?")[0].split("/")[-1]) for call in door.gateway.calls()]
    assert calls[:2] == [("HEAD", "_ping"), ("POST", "create")]
    assert {("POST", "attach"), ("POST", "wait"), ("POST", "start")} <= set(calls)
    create = door.gateway.calls()[1]
    assert create.status == 201
    assert create.request_bytes > 500
    assert 0 < create.duration_s < 60
    assert create.agent.startswith("Docker-Client/")


@pytest.fixture
def lies(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.syspath_prepend(Path(__file__).parent)
    return "lies"


def test_an_extension_lies_about_a_create(opened: Opened, lies: str) -> None:
    door = opened(extension=f"{lies}:drop_memory")
    door("run", "-d", "--name", "gw-lie", "--memory", "64m", "tiny", "sleep", "600")
    assert door("inspect", "-f", "{{.HostConfig.Memory}}", "gw-lie") == "0"


def test_an_extension_can_answer_and_ask_the_daemon(opened: Opened, lies: str) -> None:
    door = opened(extension=f"{lies}:answer_info")
    with closing(docker.DockerClient(door.gateway.address)) as client:
        assert client.info()["Name"].startswith("lied about ")


def test_an_extension_that_is_not_there_is_a_clear_error(private_engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(GatewayError, match="no_such_module"):
        Gateway.start(private_engine.address, "t-none", tmp_path, "no_such_module:lie")


def test_an_engine_that_is_gone_is_said_so(tmp_path: Path) -> None:
    with Gateway.start(f"unix://{tmp_path}/nobody.sock", "t-gone", tmp_path) as gateway:
        with pytest.raises(docker.errors.APIError, match="does not answer"):
            docker.APIClient(gateway.address, version="1.44").info()
        with pytest.raises(GatewayError, match="tidy up"):
            gateway.close()
        gateway._cleaned = cleanup.Cleaned("t-gone")


def test_a_hundred_containers_go_side_by_side(door: Door) -> None:
    with closing(docker.DockerClient(door.gateway.address)) as client:
        for _number in range(40):
            client.api.create_container("tiny", "echo")
    cleaned = door.gateway.close()
    assert len(cleaned.containers) == 40
