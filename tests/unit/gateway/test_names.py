from docker_tutor.gateway.names import Names, is_user_network, named_binds
from docker_tutor.gateway.requests import Request


def aliased() -> Names:
    names = Names("3f9a")
    for kind in ("containers", "networks", "volumes"):
        names.alias(kind, "web")
    return names


def test_a_typed_name_is_replaced_in_paths_of_its_kind_only() -> None:
    request = Request.parse("GET", "/v1.45/containers/web/logs?follow=1")
    aliased().rewrite(request)
    assert request.target() == "/v1.45/containers/web-3f9a/logs?follow=1"
    request = Request.parse("GET", "/v1.45/images/web/json")
    aliased().rewrite(request)
    assert request.path == "/images/web/json"


def test_without_an_alias_nothing_is_changed() -> None:
    request = Request.parse("GET", "/containers/web/logs?x=%2f")
    Names("3f9a").rewrite(request)
    assert request.path == "/containers/web/logs"


def test_a_create_gets_real_names_wherever_it_may_name_something() -> None:
    host = {
        "NetworkMode": "web",
        "PidMode": "container:web",
        "IpcMode": "container:other",
        "Links": ["web", "web:db"],
        "VolumesFrom": ["web:ro"],
    }
    endpoints = {"web": {"Aliases": ["a"]}, "other": None}
    body = {"HostConfig": host, "NetworkingConfig": {"EndpointsConfig": endpoints}}
    request = Request("POST", "/containers/create", body=body)
    aliased().rewrite(request)
    assert host == {
        "NetworkMode": "web-3f9a",
        "PidMode": "container:web-3f9a",
        "IpcMode": "container:other",
        "Links": ["web-3f9a:web", "web-3f9a:db"],
        "VolumesFrom": ["web-3f9a:ro"],
    }
    assert list(body["NetworkingConfig"]["EndpointsConfig"]) == ["web-3f9a", "other"]


def test_connecting_an_aliased_container_keeps_its_typed_name_in_dns() -> None:
    request = Request("POST", "/networks/net/connect", body={"Container": "web"})
    aliased().rewrite(request)
    assert request.body == {"Container": "web-3f9a", "EndpointConfig": {"Aliases": ["web"]}}


def test_dns_aliases_are_given_on_user_networks_alone() -> None:
    body = {"HostConfig": {"NetworkMode": "net"}}
    aliased().answer_to(body, "web")
    assert body["NetworkingConfig"]["EndpointsConfig"] == {"net": {"Aliases": ["web"]}}
    body = {"HostConfig": {"NetworkMode": "bridge"}}
    aliased().answer_to(body, "web")
    assert body["NetworkingConfig"]["EndpointsConfig"] == {}
    assert not any(is_user_network(name) for name in ("", "default", "host", "none", "container:x"))


def test_filters_and_commits_name_things_too() -> None:
    request = Request("GET", "/events", {"filters": ['{"container": ["web"], "type": ["container"]}']})
    aliased().rewrite(request)
    assert request.first("filters") == '{"container": ["web-3f9a"], "type": ["container"]}'
    request = Request("POST", "/commit", {"container": ["web"]}, {})
    aliased().rewrite(request)
    assert request.first("container") == "web-3f9a"


def test_paths_of_the_machine_are_no_volumes() -> None:
    mounts = [{"Type": "bind", "Source": "/x"}, {"Type": "volume", "Source": "data"}, {"Type": "volume"}]
    body = {"HostConfig": {"Binds": ["/host:/c", "./here:/c", "data:/c:ro", "~/x:/c", "/anonymous"], "Mounts": mounts}}
    places = named_binds(body)
    assert [places_[index] for places_, index in places] == ["data:/c:ro", {"Type": "volume", "Source": "data"}]
