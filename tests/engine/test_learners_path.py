"""The path of a learner through two editions of the course, which arrive as they do in life: with `git pull`."""

import json
import os
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from learner import WITHIN_S, Course, copy_of_the_course

from docker_tutor import paths

pytestmark = [pytest.mark.engine, pytest.mark.one_in(2)]

CHAPTER = "01-limits.ipynb"


@pytest.fixture
def course(tmp_path: Path) -> Iterator[Course]:
    """Clone a course of two notebooks from `upstream`, beside it."""
    upstream = tmp_path / "upstream"
    upstream.mkdir()
    copy_of_the_course(upstream, "docker_tutor")
    shutil.copy(paths.checkout() / ".gitignore", upstream)
    _write(upstream / "notebooks" / "00-start-here.ipynb", "'welcome'")
    _write(upstream / "notebooks" / CHAPTER, "'first edition'")
    made = Course.made(tmp_path, f"lp{os.getpid()}")
    _git(made, upstream, "init", "--quiet")
    _commit(made, upstream)
    _git(made, tmp_path, "clone", "--quiet", str(upstream), str(made.checkout))
    yield made
    made.put_away()


def test_an_edited_copy_outlives_a_newer_course_until_it_is_reset(course: Course) -> None:
    process, url = course.start()
    _edit_in_jupyterlab(url, CHAPTER, "'my own answer'")
    said = _ctrl_c(process)
    assert f"Your copy of the notebooks is in {course.work} (new there: 2)." in said
    assert "newer editions" not in said
    mine = (course.work / CHAPTER).read_bytes()
    assert _source(course.work / CHAPTER) == "'my own answer'"
    assert _git(course, course.checkout, "status", "--porcelain") == ""

    upstream = course.checkout.parent / "upstream"
    _write(upstream / "notebooks" / CHAPTER, "'second edition'")
    _write(upstream / "notebooks" / "02-new.ipynb", "'a new chapter'")
    _commit(course, upstream)
    _git(course, course.checkout, "pull", "--quiet")
    process, _url = course.start()
    said = _ctrl_c(process)
    assert f"Your copy of the notebooks is in {course.work} (new there: 1)." in said
    newer = f"The course has newer editions of {CHAPTER}; yours are untouched. `./course reset NAME` brings them."
    assert newer in said
    assert (course.work / CHAPTER).read_bytes() == mine
    assert _source(course.work / "02-new.ipynb") == "'a new chapter'"

    reset = course.run("reset", "01")
    assert reset.returncode == 0, reset.stderr
    kept, fresh = (Path(line.partition(": ")[2] or line.partition(" as ")[2]) for line in reset.stdout.splitlines())
    assert kept.read_bytes() == mine
    assert (kept.parent, kept != fresh, fresh) == (course.work, True, course.work / CHAPTER)
    assert _source(fresh) == "'second edition'"
    assert _outputs(fresh) == []

    process, _url = course.start()
    assert "newer editions" not in _ctrl_c(process)
    assert kept.read_bytes() == mine


def test_resetting_what_is_not_there_names_what_is(course: Course) -> None:
    refused = course.run("reset", "09")
    assert refused.returncode == 1
    assert "No notebook is called 09. There are: 00-start-here, 01-limits" in refused.stderr


def _edit_in_jupyterlab(url: str, name: str, source: str) -> None:
    """Save a changed cell the way JupyterLab's page does, through the server's contents API."""
    address, _sep, token = url.partition("/lab?token=")
    headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
    place = f"{address}/api/contents/{name}"
    with urllib.request.urlopen(urllib.request.Request(place, headers=headers)) as answer:  # noqa: S310 (our own)
        notebook = json.load(answer)["content"]
    assert notebook["cells"][0]["outputs"] == []
    notebook["cells"][0]["source"] = source
    body = json.dumps({"type": "notebook", "content": notebook}).encode()
    put = urllib.request.Request(place, data=body, headers=headers, method="PUT")  # noqa: S310 (our own)
    with urllib.request.urlopen(put) as answer:  # noqa: S310 (our own)
        assert answer.status == 200


def _ctrl_c(process: "subprocess.Popen[str]") -> str:
    process.send_signal(signal.SIGINT)
    _out, said = process.communicate(timeout=WITHIN_S)
    assert process.returncode == 0
    return said


def _write(path: Path, source: str) -> None:
    path.parent.mkdir(exist_ok=True)
    cell = {
        "cell_type": "code",
        "id": "first",
        "metadata": {},
        "source": source,
        "execution_count": 1,
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "the answer\n"}],
    }
    path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


def _source(path: Path) -> str:
    return "".join(json.loads(path.read_text())["cells"][0]["source"])


def _outputs(path: Path) -> list[object]:
    return list(json.loads(path.read_text())["cells"][0]["outputs"])


def _commit(course: Course, folder: Path) -> None:
    author = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    _git(course, folder, "add", "--all")
    _git(course, folder, *author, "commit", "--quiet", "--message", "An edition")


def _git(course: Course, folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *words], env=course.environment, capture_output=True, text=True, check=True
    )
    return done.stdout
