"""A notebook in JupyterLab, seen through a browser: cells by their id, run by menu or by keyboard."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as TookTooLong

IDLE = ".jp-Notebook-ExecutionIndicator[data-status=idle]"
NOT_IDLE = ".jp-Notebook-ExecutionIndicator:not([data-status=idle])"
SERVES_WITHIN_MS = 60_000
CELL_WITHIN_MS = 60_000
STARTS_WITHIN_MS = 5_000
MENU_WITHIN_MS = 10_000
MENU_TRIES = 3
# A busy machine may take its time over an answer; the default is 5 s.
expect.set_options(timeout=20_000)


@dataclass
class NotebookPage:
    """One notebook, open in a page of its own."""

    tab: Page
    url: str
    path: Path
    pictures: Path

    def open(self) -> None:
        """Open it as a link does; return once its kernel waits for work."""
        address, _sep, token = self.url.partition("/lab?token=")
        # `reset`: no other notebook is restored beside it from the workspace.
        self.tab.goto(f"{address}/lab/tree/{self.path.name}?reset&token={token}")
        self.tab.wait_for_selector(IDLE, timeout=SERVES_WITHIN_MS)
        self.tab.wait_for_selector(".jp-Cell.jp-mod-active")
        # The indicator knows no kernel that is starting; a cell that is run before it answers is lost.
        expect(self.tab.locator(".jp-StatusBar-TextItem", has_text="| Idle")).to_be_visible(timeout=SERVES_WITHIN_MS)

    def run_all(self, within_ms: float) -> None:
        """Run all cells by the menu; return once the last has run, or one has failed."""
        self.menu("Run", "Run All Cells")
        until = time.monotonic() + within_ms / 1000
        while (left_ms := (until - time.monotonic()) * 1000) > 0:
            # The kernel may be idle for a moment between two cells, and is before the first: the file tells the end.
            try:
                self.tab.wait_for_selector(NOT_IDLE, timeout=STARTS_WITHIN_MS)
            except TookTooLong:
                cells = self.saved().values()
                failed = any(each["output_type"] == "error" for cell in cells for each in cell["outputs"])
                if failed or all(cell["execution_count"] for cell in cells):
                    return
            self.tab.wait_for_selector(IDLE, timeout=left_ms)
        raise AssertionError(f"after {within_ms / 1000:.0f} s not all cells have run")

    def menu(self, *names: str) -> None:
        """Choose an entry of the menu bar; what is still being laid out on the page may close an open menu again."""
        for last in (*[False] * (MENU_TRIES - 1), True):
            try:
                for name in names:
                    self.tab.get_by_role("menuitem", name=name, exact=True).click(timeout=MENU_WITHIN_MS)
            except TookTooLong:
                if last:
                    raise
                self.tab.keyboard.press("Escape")
            else:
                return

    def saved(self) -> dict[str, dict[str, Any]]:
        """Save it with Ctrl+S; return the code cells of the learner's file by id."""
        unsaved = self.tab.locator(".lm-DockPanel .lm-TabBar-tab.jp-mod-dirty")
        if unsaved.count():
            self.tab.keyboard.press("Control+s")
        expect(unsaved).to_have_count(0)
        cells = json.loads(self.path.read_text(encoding="utf-8"))["cells"]
        return {cell["id"]: cell for cell in cells if cell["cell_type"] == "code"}

    def cell(self, name: str) -> Locator:
        """Return the cell with that id. JupyterLab's page knows its place only."""
        return self.tab.locator(f".jp-Notebook .jp-Cell[data-windowed-list-index='{self._place(name)}']")

    def output(self, name: str) -> Locator:
        """Return what the cell with that id has put out."""
        return self.cell(name).locator(".jp-OutputArea")

    def run(self, *names: str) -> None:
        """Run these cells one after the other with Ctrl+Enter; all have to end well."""
        for name in names:
            prompt = self.cell(name).locator(".jp-InputPrompt")
            before = prompt.inner_text()
            self.cell(name).locator(".jp-InputPrompt").click()
            self.tab.keyboard.press("Control+Enter")
            expect(prompt).not_to_have_text(before, timeout=CELL_WITHIN_MS)
            self.tab.wait_for_selector(IDLE, timeout=CELL_WITHIN_MS)
        assert self.errors() == []

    def walk_to(self, name: str) -> None:
        """Go to a cell with the arrow keys, from wherever the notebook is."""
        active = self.tab.locator(".jp-Notebook .jp-Cell.jp-mod-active")
        wanted = self._place(name)
        while (now := int(active.get_attribute("data-windowed-list-index") or 0)) != wanted:
            self.tab.keyboard.press("ArrowDown" if now < wanted else "ArrowUp")
            expect(active).not_to_have_attribute("data-windowed-list-index", str(now))

    def errors(self) -> list[str]:
        """Return what cells that failed say, by the saved file: on the page they look like standard error."""
        outputs = [(name, each) for name, cell in self.saved().items() for each in cell["outputs"]]
        failed = [(name, each) for name, each in outputs if each["output_type"] == "error"]
        return [f"{name}: {each['ename']}: {each['evalue']}" for name, each in failed]

    def focused(self) -> str:
        """Return the text of what has the keyboard."""
        return str(self.tab.evaluate("document.activeElement.textContent")).replace("\N{NO-BREAK SPACE}", " ").strip()

    def tab_to(self, words: str, most: int = 40) -> None:
        """Press Tab until something that begins with `words` has the keyboard."""
        seen = []
        for _press in range(most):
            self.tab.keyboard.press("Tab")
            if self.focused().startswith(words):
                return
            seen.append(self.focused()[:40])
        raise AssertionError(f"Tab does not lead to {words!r}, only to {seen}")

    def picture(self, name: str) -> None:
        """Keep what is to be seen now."""
        self.tab.screenshot(path=self.pictures / f"{name}.png")

    def _place(self, name: str) -> int:
        cells = json.loads(self.path.read_text(encoding="utf-8"))["cells"]
        return next(place for place, cell in enumerate(cells) if cell["id"] == name)
