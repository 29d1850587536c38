"""The map of networks: what is chosen is described in words; without a kernel a picture is left."""

import pytest

from docker_tutor.topics.networks_topology import Network, Plug, Topology
from docker_tutor.widgets.topology import NetworkMap


@pytest.fixture
def map_of_three() -> NetworkMap:
    nets = (Network("back", "bridge", "172.21.0.0/16", ""), Network("front", "bridge", "172.20.0.0/16", "172.20.0.1"))
    plugs = (
        Plug("app", "back", "172.21.0.3", "", ()),
        Plug("app", "front", "172.20.0.3", "", ()),
        Plug("db", "back", "172.21.0.2", "", ()),
        Plug("web", "front", "172.20.0.2", "", ("8080 → 80/tcp",)),
    )
    return NetworkMap(Topology(nets, plugs))


def test_containers_and_networks_can_be_chosen(map_of_three: NetworkMap) -> None:
    assert map_of_three.names == ("app", "db", "web", "back", "front")
    assert map_of_three.chosen == "app"


def test_a_container_is_described_with_its_neighbours(map_of_three: NetworkMap) -> None:
    map_of_three.choose("app")
    assert map_of_three.sentences() == [
        "In back with 172.21.0.3; neighbours there: db.",
        "In front with 172.20.0.3; neighbours there: web.",
        "Published: nothing.",
    ]


def test_a_network_is_described_with_its_members(map_of_three: NetworkMap) -> None:
    map_of_three.choose("front")
    assert map_of_three.sentences() == ["app: 172.20.0.3.", "web: 172.20.0.2."]


def test_a_published_port_is_named(map_of_three: NetworkMap) -> None:
    map_of_three.choose("web")
    assert map_of_three.sentences()[-1] == "Published: 8080 → 80/tcp."


def test_a_name_that_is_not_there_is_an_error(map_of_three: NetworkMap) -> None:
    with pytest.raises(KeyError):
        map_of_three.choose("nobody")


def test_a_choice_redraws_what_is_shown(map_of_three: NetworkMap) -> None:
    widget = map_of_three._widget()
    map_of_three.choose("db")
    assert "<strong>db</strong>" in widget.children[-1].value


def test_the_button_of_a_name_chooses_it_and_says_so(map_of_three: NetworkMap) -> None:
    buttons = map_of_three._widget().children[1].children
    assert [button.description for button in buttons] == ["▸ app", "db", "web", "back", "front"]
    buttons[3].click()
    assert map_of_three.chosen == "back"
    assert [button.description for button in buttons] == ["app", "db", "web", "▸ back", "front"]


def test_without_a_kernel_the_picture_and_its_table_are_left(map_of_three: NetworkMap) -> None:
    bundle = map_of_three._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert "<table" in str(bundle["text/html"])


def test_an_empty_engine_has_a_map_too() -> None:
    nothing = NetworkMap(Topology((), ()))
    assert nothing.names == ()
    assert "No container is running." in str(nothing._repr_mimebundle_()["text/plain"])
