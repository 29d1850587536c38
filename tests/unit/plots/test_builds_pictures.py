"""Pictures of builds, caches, layers and overlays: alt text, tables, nothing said by colour alone."""

import pytest

from docker_tutor.plots.builds import build_comparison, build_gantt
from docker_tutor.plots.cache import cache_grid, cache_oracle
from docker_tutor.plots.layers import layer_bytes, layer_stack
from docker_tutor.plots.overlay import copy_up, overlay_view
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.builds_trace import Step, Trace
from docker_tutor.topics.cache import Cell, Comparison, Grid, Side
from docker_tutor.topics.layers import Change, Image, Layer, Line
from docker_tutor.topics.overlay import CopyUp, Entry, View


def step(name: str, start: float, end: float, state: str = "ran", kind: str = "step") -> Step:
    return Step(name, kind, "", 1, name, name, (), start, end, state)  # type: ignore[arg-type]


TRACE = Trace(
    (
        step("[internal] load build context", 0, 0.1, kind="internal"),
        step("[1/3] COPY . .", 0.1, 0.1, "cached"),
        step("[2/3] RUN a rather long command " + "x" * 80, 0.1, 2.0),
        step("[3/3] RUN false\nsecond line", 2.0, 2.1, "failed"),
    ),
    2.1,
    100,
)
GRID = Grid(
    {"copy": "COPY . .", "run": "RUN build"},
    {"touch": "touch app.py", "byte": "edit a byte"},
    (
        Cell("copy", "touch", "cached", 0, "unchanged", "nothing"),
        Cell("run", "touch", "cached", 0, "unchanged", "nothing"),
        Cell("copy", "byte", "ran", 0.1, "files", "app.py has other content"),
        Cell("run", "byte", "ran", 0.1, "above", "the line above"),
    ),
    {"touch": 1, "byte": 2},
    {"touch": frozenset(), "byte": frozenset({"copy", "run"})},
)
COMPARISON = Comparison(
    "app.py", Side("RUN", 2.0, 1.9, 50, ("COPY . .", "RUN x"), 668), Side("mount", 2.0, 0.1, 50, ("COPY . .",), 1)
)
IMAGE = Image(
    "made:up",
    (
        Layer(
            0,
            "sha256:" + "a" * 64,
            "ADD base",
            (Change("/d", "added", 0, 0, folder=True), Change("/d/f", "added", 900, 0)),
        ),
        Layer(1, "sha256:" + "b" * 64, "RUN echo >> /d/f", (Change("/d/f", "changed", 1000, 900),)),
        Layer(2, "sha256:" + "c" * 64, "RUN rm -r /d", (Change("/d", "removed", 0, 1000, folder=True),)),
    ),
    (Line("ADD base", 0), Line("RUN echo >> /d/f", 1), Line("RUN rm -r /d", 2), Line('CMD ["x"]', None)),
    0,
)
VIEW = View(
    (
        Entry("/files/kept", "kept", "", "kept", ""),
        Entry("/files/removed", "gone", "whiteout", "", "D"),
        Entry("/files/added", "", "mine", "mine", "A"),
    ),
    ("/files/removed",),
    ("/files/removed",),
)
COPIED = CopyUp(1 << 27, 0.1, 2e-5, 0.11, 0, 1 << 27, 1 << 28)

PICTURES = {
    "gantt": lambda: build_gantt(TRACE),
    "comparison": lambda: build_comparison(COMPARISON),
    "grid": lambda: cache_grid(GRID),
    "oracle": lambda: cache_oracle(GRID, {("copy", "touch"): True}),
    "stack": lambda: layer_stack(IMAGE),
    "bytes": lambda: layer_bytes(IMAGE),
    "view": lambda: overlay_view(VIEW),
    "copy up": lambda: copy_up(COPIED),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_drawn_has_alt_text_and_a_table(name: str) -> None:
    picture: Picture = PICTURES[name]()
    assert picture.png.startswith(b"\x89PNG")
    assert len(picture.alt) > 20
    assert len(picture.table) > 0


def words(picture: Picture) -> list[str]:
    return [text.get_text() for axes in picture.figure.axes for text in axes.texts]


def test_the_grid_says_cached_and_ran_in_words() -> None:
    assert sorted(words(cache_grid(GRID))) == ["cached", "cached", "ran", "ran"]


def test_a_miss_is_marked_with_a_cross_and_explained() -> None:
    picture = cache_oracle(GRID, {("copy", "touch"): True, ("copy", "byte"): True, ("run", "byte"): True})
    assert sorted(words(picture)) == ["cached", "ran", "ran", "✗ cached"]
    assert "3 of 4" in picture.alt
    assert picture.table.to_dict("records")[0]["it"] == "was cached"


def test_without_a_prediction_the_oracle_shows_the_truth_alone() -> None:
    assert words(cache_oracle(GRID, None)) == words(cache_grid(GRID))


def test_the_gantt_names_states_and_shortens_names() -> None:
    picture = build_gantt(TRACE)
    assert "failed" in words(picture)
    assert "cached" in words(picture)
    labels = [label.get_text() for label in picture.figure.axes[0].get_yticklabels()]
    assert max(len(label) for label in labels) <= 64
    assert all("\n" not in label for label in labels)


def test_an_empty_trace_is_drawn_too() -> None:
    assert build_gantt(Trace((), 0.0, 0)).png.startswith(b"\x89PNG")


def test_what_only_configures_is_called_so() -> None:
    assert "configuration, 0 B" in words(layer_stack(IMAGE))


def test_bytes_that_a_higher_layer_hides_are_found_in_the_layer_that_ships_them() -> None:
    hidden = layer_bytes(IMAGE).figure.axes[0].containers[1]
    assert [round(bar.get_width() * (1 << 20)) for bar in hidden] == [900, 1000, 0]
