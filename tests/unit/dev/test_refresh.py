from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from docker_tutor.dev import refresh, sanitize
from docker_tutor.errors import CourseError

clean = sanitize.from_file(sanitize.config_path())


def cell(identity: str, *outputs: NotebookNode, varying: bool = False) -> NotebookNode:
    metadata = {"tags": ["nbval-ignore-output"]} if varying else {}
    return new_code_cell("…", id=identity, metadata=metadata, outputs=list(outputs))


def said(text: str) -> NotebookNode:
    return new_output("stream", text=text)


def picture(png: str, alt: str) -> NotebookNode:
    return new_output("display_data", data={"image/png": png, "text/plain": alt})


def notebook(*cells: NotebookNode) -> NotebookNode:
    made = new_notebook(cells=list(cells))
    refresh.normalise(made)
    return made


def test_what_is_equal_but_for_ids_and_times_stays_as_it_is_stored() -> None:
    stored = notebook(cell("one", said("4f1c0d9be2a7 ran 0.3 s\n")))
    fresh = notebook(cell("one", said("0d9be2a74f1c ran 0.4 s\n")))
    as_stored = nbformat.writes(stored)
    assert refresh.merge(stored, fresh, clean) == []
    assert nbformat.writes(stored) == as_stored


def test_what_differs_is_taken_over_and_its_cell_is_named() -> None:
    stored = notebook(cell("one", said("exit 0\n")), cell("two", said("same\n")))
    fresh = notebook(cell("one", said("exit 137\n")), cell("two", said("same\n")))
    assert refresh.merge(stored, fresh, clean) == ["one"]
    assert stored.cells[0].outputs == [said("exit 137\n")]


def test_a_varying_cell_keeps_its_output_as_long_as_it_is_of_the_same_kind() -> None:
    stored = notebook(cell("plot", picture("old", "a line"), varying=True))
    fresh = notebook(cell("plot", picture("new", "another line"), varying=True))
    assert refresh.merge(stored, fresh, clean) == []
    assert stored.cells[0].outputs[0].data["image/png"] == "old"


@pytest.mark.parametrize("outputs", [[], [said("text instead\n")]])
def test_a_varying_cell_gets_an_output_that_it_did_not_have_or_of_another_kind(outputs: list[NotebookNode]) -> None:
    stored = notebook(cell("plot", *outputs, varying=True))
    fresh = notebook(cell("plot", picture("new", "a line"), varying=True))
    assert refresh.merge(stored, fresh, clean) == ["plot"]


def test_a_picture_that_came_out_other_in_a_compared_cell_is_no_change_while_its_text_is_the_same() -> None:
    stored, fresh = notebook(cell("p", picture("old", "boxes"))), notebook(cell("p", picture("new", "boxes")))
    assert refresh.merge(stored, fresh, clean) == []


def test_normalising_numbers_the_cells_and_drops_what_belongs_to_one_execution() -> None:
    made = new_notebook(cells=[cell("a"), cell("b", new_output("execute_result", {"text/plain": "2"}))])
    made.metadata = NotebookNode(widgets=NotebookNode(), kernelspec=NotebookNode(name="other"))
    made.cells[0].metadata = NotebookNode(execution=NotebookNode(), tags=["x"], collapsed=False)
    made.cells[1].execution_count = 17
    refresh.normalise(made)
    assert made.metadata.kernelspec.name == "python3"
    assert "widgets" not in made.metadata
    assert made.cells[0].metadata == {"tags": ["x"]}
    assert [found.execution_count for found in made.cells] == [1, 2]
    assert made.cells[1].outputs[0].execution_count == 2
    nbformat.validate(made)


def test_normalising_keeps_of_a_widget_what_can_be_seen_without_a_kernel() -> None:
    view = "application/vnd.jupyter.widget-view+json"
    shown = new_output("display_data", data={view: {"model_id": "1"}, "text/plain": "A question"})
    made = notebook(cell("ask", shown))
    assert made.cells[0].outputs[0].data == {"text/plain": "A question"}


def test_normalising_hides_whose_home_folder_it_was() -> None:
    made = notebook(cell("a", said(f"{Path.home()}/.local/share\n")))
    assert made.cells[0].outputs[0].text == "~/.local/share\n"


def test_a_varying_cell_gets_a_new_output_when_that_is_asked_for() -> None:
    stored = notebook(cell("one", said("0.3 s"), varying=True), cell("two", said("same")))
    fresh = notebook(cell("one", said("0.4 s"), varying=True), cell("two", said("same")))
    assert refresh.merge(stored, fresh, clean, varying=True) == ["one"]
    assert stored.cells[0].outputs[0].text == "0.4 s"


def test_normalising_joins_the_pieces_in_which_a_stream_arrived() -> None:
    error = new_output("stream", name="stderr", text="oh")
    made = notebook(cell("one", said("3 "), said("weeks\n"), error, said("more\n")))
    assert [(o.name, o.text) for o in made.cells[0].outputs] == [
        ("stdout", "3 weeks\n"),
        ("stderr", "oh"),
        ("stdout", "more\n"),
    ]


def test_normalising_twice_changes_nothing_more() -> None:
    made = notebook(cell("a", said("x\n")), cell("b"))
    once = nbformat.writes(made)
    refresh.normalise(made)
    assert nbformat.writes(made) == once


def test_a_notebook_that_is_not_there_is_a_clear_error() -> None:
    with pytest.raises(CourseError, match="No notebook is called 99-nothing"):
        refresh.named(["99-nothing"])
