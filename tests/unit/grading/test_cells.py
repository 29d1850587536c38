from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from docker_tutor.errors import SubmissionInvalid
from docker_tutor.grading.cells import files_of, steps
from docker_tutor.grading.tasks import lab

TASKS = [task.name for task in lab(1).tasks]


def handed_in(*cells: Any) -> bytes:
    return str(nbformat.writes(new_notebook(cells=list(cells)))).encode()


def marked(task: str, source: str = "lab.check()") -> Any:
    return new_code_cell(source, metadata={"nbgrader": {"grade_id": f"{task}-test", "grade": True}})


def shown(notebook: bytes) -> list[tuple[str, str]]:
    return [(step.kind, step.text) for step in steps(notebook, lab(1))]


def test_cells_run_in_order_and_tasks_are_looked_at_where_their_test_stands() -> None:
    notebook = handed_in(new_code_cell("a"), marked(TASKS[0]), new_code_cell("b"), marked(TASKS[1]))
    assert shown(notebook)[:4] == [("run", "a"), ("look", TASKS[0]), ("run", "b"), ("look", TASKS[1])]


def test_a_test_whose_cell_is_gone_is_looked_at_at_the_end() -> None:
    assert shown(handed_in(new_code_cell("a"))) == [("run", "a"), *(("look", task) for task in TASKS)]


def test_a_test_that_is_there_twice_is_looked_at_once() -> None:
    notebook = handed_in(marked(TASKS[0]), new_code_cell("a"), marked(TASKS[0]))
    assert [text for kind, text in shown(notebook) if kind == "look"].count(TASKS[0]) == 1


def test_the_source_of_a_test_is_never_run() -> None:
    notebook = handed_in(marked(TASKS[0], "print('full points')"))
    assert [text for kind, text in shown(notebook) if kind == "run"] == []


def test_a_cell_that_claims_to_be_some_other_test_is_run_as_any() -> None:
    assert ("run", "x") in shown(handed_in(marked("nothing-like-it", "x")))


def test_prose_and_empty_cells_are_left_out() -> None:
    assert [kind for kind, _text in shown(handed_in(new_markdown_cell("a"), new_code_cell("  ")))] == ["look"] * 4


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff\xfe", b'{"cells": 3}', b'{"nbformat": 4, "cells": [1]}'])
def test_what_is_no_notebook_is_refused(content: bytes) -> None:
    with pytest.raises(SubmissionInvalid):
        steps(content, lab(1))


def test_files_are_read_but_no_links(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    (tmp_path / "passwd").symlink_to("/etc/passwd")
    assert files_of(tmp_path) == {"sub/Dockerfile": b"FROM scratch\n"}


def test_more_files_than_a_lab_needs_are_refused(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(9 << 20))
    with pytest.raises(SubmissionInvalid):
        files_of(tmp_path)
