"""One course for the session, opened as a learner opens it, and pages of a headless Chromium that look at it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from learner import Course, copy_of_the_course
from notebook_page import NotebookPage
from playwright.sync_api import Browser, sync_playwright

from docker_tutor import paths

SCREENSHOTS = paths.checkout() / "test-artefacts" / "screenshots"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Course, str]]:
    """Start the course in a checkout of its own; yield it and JupyterLab's address. All of it is gone afterwards."""
    made = Course.made(tmp_path_factory.mktemp("learner"), f"br{os.getpid()}")
    copy_of_the_course(made.checkout, "docker_tutor", "notebooks")
    try:
        process, url = made.start()
        yield made, url
        process.terminate()
        process.communicate(timeout=60)
    finally:
        made.put_away()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the distribution's Chromium, without a window."""
    chromium = shutil.which("chromium")
    assert chromium, "chromium is not in PATH"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def page(course: tuple[Course, str], browser: Browser, request: pytest.FixtureRequest) -> Iterator[NotebookPage]:
    """Open the notebook that the test names (`@pytest.mark.notebook`) in a fresh page."""
    made, url = course
    name = request.node.get_closest_marker("notebook").args[0]
    tab = browser.new_page(viewport={"width": 1280, "height": 1000})
    opened = NotebookPage(tab, url, made.work / name, SCREENSHOTS)
    try:
        opened.open()
        yield opened
    finally:
        opened.picture(f"{request.node.name}-at-the-end")
        tab.close()


def pytest_configure(config: pytest.Config) -> None:
    """Make room for this run's pictures."""
    config.addinivalue_line("markers", "notebook(name): the notebook that a browser test opens")
    shutil.rmtree(SCREENSHOTS, ignore_errors=True)
    Path(SCREENSHOTS).mkdir(parents=True)
