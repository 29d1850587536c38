"""The course as a learner sees it: JupyterLab in a real browser, on the learner's copy, with an engine behind it."""

import json
import re
from typing import Any

import pytest
from notebook_page import NotebookPage
from playwright.sync_api import expect

from docker_tutor import paths

pytestmark = pytest.mark.engine

CHAPTER_WITHIN_MS = 240_000
MOVES_WITHIN_MS = 20_000


@pytest.mark.notebook("01-vm-vs-container.ipynb")
def test_chapter_1_runs_by_its_menu_and_answers_predictions_and_moves_its_chart(page: NotebookPage) -> None:
    expect(page.tab.locator(".Toastify__toast", has_text="news")).to_have_count(0)
    page.picture("1-opened")
    page.run_all(CHAPTER_WITHIN_MS)
    assert page.errors() == []
    cells = page.saved()
    assert [name for name, cell in cells.items() if cell["execution_count"] is None] == []
    assert _marks(cells) == _marks(_shipped(page.path.name))
    page.picture("2-all-cells-have-run")

    # By mouse: the right answer.
    question = page.output("compare-predict")
    question.get_by_role("button", name="2. a fraction of a second").click()
    expect(question.get_by_role("status")).to_have_text("You predicted: a fraction of a second — and so it is.")
    expect(question.get_by_role("button", name="● 2. a fraction of a second")).to_be_visible()
    page.picture("3-predicted-by-mouse")
    # By keyboard: a wrong one.
    question = page.output("stacks-predict")
    page.cell("stacks-predict").locator(".jp-InputPrompt").click()
    page.tab_to("2. containerd")
    page.tab.keyboard.press("Enter")
    expect(question.get_by_role("status")).to_have_text("You predicted: containerd — it turned out: none of these.")
    page.picture("4-predicted-by-keyboard")

    # The last cell has closed the room and taken its containers with it: open it again for the chart.
    page.run("open", "live-typed", "live-chart")
    chart = page.output("live-chart")
    picture, status = chart.locator("img"), chart.get_by_role("status")
    expect(picture).to_have_attribute("alt", re.compile("busy"))
    at_first = picture.get_attribute("src")
    chart.get_by_role("button", name="Start").click()
    expect(status).to_have_text("Following busy: a new point every second.")
    expect(picture).not_to_have_attribute("src", at_first, timeout=MOVES_WITHIN_MS)
    rows = chart.locator("tbody tr").count()
    expect(chart.locator("tbody tr")).not_to_have_count(rows, timeout=MOVES_WITHIN_MS)
    page.picture("5-the-chart-moves")
    chart.get_by_role("button", name="Stop").click()
    expect(status).to_have_text("Stopped.")
    page.run("close")


@pytest.mark.notebook("06-layers-and-caching.ipynb")
def test_the_layer_explorer_of_chapter_6_is_opened_and_read_by_keyboard_alone(page: NotebookPage) -> None:
    page.run("open", "project-files", "project-dockerfile", "stack-typed")
    page.run("waste-dockerfile", "waste-typed", "waste-measured", "waste-check")

    page.walk_to("explorer")
    page.tab.keyboard.press("Control+Enter")
    explorer = page.output("explorer")
    layers = explorer.locator(".docker-tutor-layers")
    layers.wait_for()
    files = explorer.get_by_role("region", name="Files of the layer")
    expect(files).to_contain_text("RUN chmod 600 /data")

    page.tab_to("3       0 B  RUN rm")
    page.picture("6-the-explorer")
    page.tab.keyboard.press("Enter")
    expect(files).to_contain_text("it hides 19.1 MiB of layers below")
    # The keyboard stays on the layer, which is the chosen one now.
    expect(layers.locator("button:focus")).to_have_text(re.compile(r"▸\s+3\s+0\sB\s+RUN\srm"))
    page.tab_to("− removed")
    page.tab.keyboard.press("Space")
    expect(files).to_contain_text("nothing of that kind")
    page.tab.keyboard.press("Space")
    page.tab_to("tmp/")
    expect(files.get_by_text("− download")).to_be_visible()
    page.tab.keyboard.press("Enter")
    expect(files.get_by_text("− download")).to_be_hidden()
    page.tab.keyboard.press("Enter")
    expect(files.get_by_text("− download")).to_be_visible()
    page.picture("7-a-folder-opened-by-keyboard")
    page.run("close")


def _shipped(name: str) -> dict[str, dict[str, Any]]:
    cells = json.loads((paths.checkout() / "notebooks" / name).read_text(encoding="utf-8"))["cells"]
    return {cell["id"]: cell for cell in cells if cell["cell_type"] == "code"}


def _marks(cells: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """Return the ticked lines below each cell: what its checks have found to be so."""
    found = {}
    for name, cell in cells.items():
        said = "".join("".join(output.get("text", "")) for output in cell["outputs"])
        found[name] = [line for line in said.splitlines() if line.startswith("✓")]
    return found
