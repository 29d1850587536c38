"""The oracle and the layer explorer: what they take, what they say, and what is left of them without a kernel."""

import ipywidgets
import pytest

from docker_tutor.topics.cache import LABELS, ORACLE
from docker_tutor.topics.layers import Change, Image, Layer, Line
from docker_tutor.widgets import cache as cache_module
from docker_tutor.widgets import layers as layers_module
from docker_tutor.widgets.cache import CacheOracle
from docker_tutor.widgets.layers import LayerExplorer

VIEW = "application/vnd.jupyter.widget-view+json"


def image(files: int = 2) -> Image:
    base = tuple(Change(f"/usr/lib/f{number}", "added", 100 + number, 0) for number in range(files))
    top = (
        Change("/usr/lib/f0", "removed", 0, 100),
        Change("/<b>", "added", 7, 0),
        Change("/usr/lib/f1", "changed", 5, 101),
    )
    return Image(
        "made:up",
        (Layer(0, "sha256:a", "ADD base", base), Layer(1, "sha256:b", "RUN <x>", top)),
        (Line("ADD base", 0), Line("RUN <x>", 1)),
        12,
    )


def test_the_oracle_has_no_guess_until_something_is_said() -> None:
    oracle = CacheOracle()
    assert oracle.guess is None
    oracle.say("touch", "build", runs=True)
    assert oracle.guess == {("build", "touch"): True}


def test_the_oracle_refuses_what_is_not_in_the_grid() -> None:
    oracle = CacheOracle()
    with pytest.raises(KeyError):
        oracle.say("env", "build", runs=True)
    with pytest.raises(KeyError):
        oracle.say("touch", "nowhere", runs=True)


def test_without_a_kernel_the_oracle_is_a_table() -> None:
    bundle = CacheOracle()._repr_mimebundle_()
    assert VIEW not in bundle
    assert str(bundle["text/html"]).count("<td>") == len(ORACLE) * len(LABELS)


def test_each_cell_of_the_oracle_is_a_button_that_says_in_words_what_it_stands_for() -> None:
    oracle = CacheOracle()
    grid = oracle._widget().children[1]
    buttons = [child for child in grid.children if isinstance(child, ipywidgets.ToggleButton)]
    assert len(buttons) == len(ORACLE) * len(LABELS)
    assert buttons[0].description == "cached"
    buttons[0].value = True
    assert buttons[0].description == "runs"
    assert oracle.guess == {("tools", "touch"): True}
    assert "touch app.py" in buttons[0].tooltip


def test_in_a_kernel_the_oracle_is_a_widget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "in_kernel", lambda: True)
    assert VIEW in CacheOracle()._repr_mimebundle_()


def test_the_explorer_begins_at_the_top_and_lists_what_the_layer_does() -> None:
    page = LayerExplorer(image()).page()
    for words in ("+ &lt;b&gt;", "− f0", "~ f1", "hides 100 B", "1 added, 1 changed, 1 removed", "RUN &lt;x&gt;"):
        assert words in page


def test_the_explorer_shows_only_the_kinds_that_are_wanted() -> None:
    explorer = LayerExplorer(image())
    explorer.show("removed")
    assert "− f0" in explorer.page()
    assert "~ f1" not in explorer.page()
    explorer.show()
    assert "nothing of that kind" in explorer.page()


def test_a_large_layer_is_cut_and_says_so() -> None:
    explorer = LayerExplorer(image(files=1000))
    explorer.choose(0)
    assert "… and 800 smaller ones" in explorer.page()


def test_a_layer_that_is_not_there_is_an_index_error() -> None:
    with pytest.raises(IndexError):
        LayerExplorer(image()).choose(2)


def test_the_list_is_chosen_from_by_keyboard_and_the_page_follows() -> None:
    explorer = LayerExplorer(image())
    _head, layers, kinds, tree = explorer._widget().children
    top, base = layers.children
    assert top.description.startswith("▸")
    base.click()
    assert base.description.startswith("▸")
    assert not top.description.startswith("▸")
    assert "ADD base" in tree.value
    kinds.children[0].value = False
    assert "nothing of that kind" in tree.value


def test_without_a_kernel_the_explorer_is_a_picture_and_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = LayerExplorer(image())._repr_mimebundle_()
    assert VIEW not in bundle
    assert "<img" in str(bundle["text/html"])
    assert "<table" in str(bundle["text/html"])
    monkeypatch.setattr(layers_module, "in_kernel", lambda: True)
    assert VIEW in LayerExplorer(image())._repr_mimebundle_()
