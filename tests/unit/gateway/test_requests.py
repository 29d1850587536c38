import pytest

from docker_tutor.gateway.requests import JSON_BODIES, Reply, Request, hijacks


@pytest.mark.parametrize(
    "target",
    [
        "/v1.45/containers/json?all=1",
        "/_ping",
        "/v1.45/images/library/web%3A1/json",
        "/build?t=a%3A1&t=b%3A2&labels=%7B%7D",
        "/v1.45/containers/json?filters=",
    ],
)
def test_a_target_taken_apart_and_put_together_is_the_same(target: str) -> None:
    assert Request.parse("GET", target).target() == target


def test_flags_are_read_as_the_daemon_reads_them() -> None:
    request = Request.parse("DELETE", "/containers/web?v=1&force=false&link=")
    assert (request.flag("v"), request.flag("force"), request.flag("link"), request.flag("other")) == (
        True,
        False,
        False,
        False,
    )


def test_a_part_of_a_path_is_replaced_and_quoted() -> None:
    request = Request.parse("GET", "/v1.45/containers/web/json")
    request.with_part(1, "we/b")
    assert request.target() == "/v1.45/containers/we%2Fb/json"


def test_connections_that_may_stop_being_http_are_known() -> None:
    paths = ["/containers/x/attach", "/exec/x/start", "/session", "/grpc"]
    assert all(hijacks(Request("POST", path)) for path in paths)
    assert not hijacks(Request("GET", "/containers/x/logs"))


def test_only_bodies_that_a_rule_looks_into_are_read_whole() -> None:
    assert JSON_BODIES.fullmatch("/containers/create")
    assert JSON_BODIES.fullmatch("/networks/web/connect")
    assert not JSON_BODIES.fullmatch("/images/load")
    assert not JSON_BODIES.fullmatch("/build")


def test_a_refusal_has_the_form_that_clients_show() -> None:
    assert Reply.refuse("no").encoded() == b'{"message": "no"}\n'
    assert Reply(204).encoded() == b""
