"""The pictures of chapter 5: drawn from plain results, each with a sentence to read aloud and a table."""

from docker_tutor.plots import compose_effects, compose_timeline
from docker_tutor.topics.compose import Effect, Inventory
from docker_tutor.topics.compose_timeline import ServiceTimes, Timeline

UP = Inventory({"api-1": "running"}, {"api-1": "aa"}, {"net": "bridge"}, {"data": "local"})
DOWN = Inventory({}, {}, {}, {"data": "local"})


def test_lanes_tell_who_started_when() -> None:
    line = Timeline((ServiceTimes("db", 0.0, 0.5, 4.0), ServiceTimes("app", 0.1, 4.2, None)))
    picture = compose_timeline(line)
    assert picture.png.startswith(b"\x89PNG")
    assert "db started at 0.5 s, healthy at 4.0 s; app started at 4.2 s" in picture.alt
    assert list(picture.table["service"]) == ["db", "app"]


def test_only_a_service_that_names_another_is_said_to_wait() -> None:
    line = Timeline((ServiceTimes("db", 0.0, 2.0, 4.0), ServiceTimes("app", 0.1, 4.2, None, ("db",))))
    words = [text.get_text() for text in compose_timeline(line).figure.axes[0].texts]
    assert [word for word in words if word.startswith("created")] == ["created", "created, waits"]


def test_a_service_that_never_started_has_a_lane_too() -> None:
    assert compose_timeline(Timeline((ServiceTimes("app", 0.0, None, None),))).png.startswith(b"\x89PNG")


def test_effects_show_each_object_after_each_command() -> None:
    stop = Inventory({"api-1": "exited"}, {"api-1": "aa"}, UP.networks, UP.volumes)
    effects = [Effect("docker compose stop", UP, stop, ""), Effect("docker compose down", stop, DOWN, "")]
    picture = compose_effects(effects)
    assert picture.png.startswith(b"\x89PNG")
    assert list(picture.table["object"]) == ["container api-1", "network net", "volume data"]
    assert list(picture.table["stop"]) == ["exited", "there", "there"]
    assert list(picture.table["down"]) == ["—", "—", "there"]
