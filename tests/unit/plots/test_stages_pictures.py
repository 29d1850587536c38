"""The pictures of chapter 4 say in words what they show, and lose no stage."""

from docker_tutor import plots
from docker_tutor.plots import stages as stages_module
from docker_tutor.topics.stage_graph import read
from docker_tutor.topics.stages import Comparison, Contents

GRAPH = read("FROM go AS builder\nRUN x\nFROM builder AS tests\nRUN y\nFROM alpine\nCOPY --from=builder /a /a\n")


def test_the_graph_shows_every_stage_and_image_and_what_became_of_it() -> None:
    fates = {"builder": "cached", "tests": "skipped", "stage-2": "ran"}
    picture = plots.stage_graph(GRAPH, fates)
    written = "\n".join(text.get_text() for text in picture.figure.axes[0].texts)
    assert all(name in written for name in ("go", "alpine", "builder", "tests", "stage-2", "skipped"))
    assert "tests: skipped" in picture.alt
    assert list(picture.table["build"]) == ["cached", "skipped", "ran", "ran"]
    assert picture.png


def test_without_a_build_the_graph_names_stages_and_images() -> None:
    assert "stage-2 COPY builder" in plots.stage_graph(GRAPH).alt


def test_the_sizes_are_told_beside_the_textbook_s() -> None:
    single, multi = (
        Contents("a", {"usr/local/go/x": 3 << 20, "app/server": 1 << 20}),
        Contents("b", {"server": 1 << 20}),
    )
    picture = plots.stage_sizes(Comparison(single, multi))
    assert "75.0 % less" in picture.alt
    assert picture.png


def test_an_arrow_goes_around_a_box_in_its_way_and_straight_where_there_is_none() -> None:
    places = {"a": (0.0, 0.0), "b": (1.0, 0.0), "c": (2.0, 0.0), "d": (1.0, 2.0)}
    around = stages_module._bend("a", "c", places, 3.0)
    assert around != 0
    curve = stages_module._curve(places["a"], places["c"], around, 3.0)
    assert min(abs(y) for x, y in curve if abs(x - 3.0) < 0.5) > 0.3
    assert stages_module._bend("a", "d", places, 3.0) == 0
