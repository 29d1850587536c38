import json
from pathlib import Path
from typing import Any

import pytest

from docker_tutor import paths
from docker_tutor.dev import rules

NOTEBOOKS = sorted((paths.checkout() / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_obeys_the_house_rules(path: Path) -> None:
    assert list(rules.notebook_faults(path)) == []


def test_no_file_names_a_path_of_one_machine_or_a_registry_or_a_mirror() -> None:
    checkout = paths.checkout()
    # In tests such names are props.
    files = (path for path in rules.tracked_files(checkout) if path.relative_to(checkout).parts[0] != "tests")
    assert [f"{path.relative_to(checkout)}: {fault}" for path in files for fault in rules.text_faults(path)] == []


def code(identity: str, source: str, *tags: str, **more: Any) -> dict[str, Any]:
    cell = {"cell_type": "code", "id": identity, "source": [source], "outputs": [], "metadata": {"tags": list(tags)}}
    return cell | more


def faults(tmp_path: Path, *cells: dict[str, Any], **top: Any) -> list[str]:
    count = 0
    for cell in cells:
        if cell["cell_type"] == "code":
            count += 1
            cell.setdefault("execution_count", count)
    metadata = {"kernelspec": {"name": "python3"}}
    notebook = {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5} | top
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(notebook))
    return list(rules.notebook_faults(path))


def heading(text: str = "## Next") -> dict[str, Any]:
    return {"cell_type": "markdown", "id": f"h{text.count('#')}", "source": [text], "metadata": {}}


def test_a_tidy_notebook_has_no_faults(tmp_path: Path) -> None:
    cells = (code("run", "go()", "nbval-ignore-output"), code("claim", "check('it goes', True)"))
    assert faults(tmp_path, *cells) == []


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (code("x", "1", execution_count=7), "executed from 1 to n"),
        (code("", "1"), "ids are missing"),
        (code("3f9a01bc", "1"), "its id is random"),
        (code("x", "a\n" * 11), "more than 10 lines"),
        (code("x", "1", "nbval-skip"), "never tested"),
        (code("x", "# NBVAL_SKIP\n1"), "never tested"),
        (code("x", "1", "raises-exception"), "does not raise"),
        (code("x", "1", "nbval-ignore-output"), "no check follows"),
        (code("x", "1", outputs=[{"output_type": "error"}]), "an error is stored"),
        (code("x", "1", metadata={"execution": {}}), "metadata that belong"),
    ],
)
def test_each_rule_is_noticed_when_it_is_broken(tmp_path: Path, cell: dict[str, Any], said: str) -> None:
    assert said in "\n".join(faults(tmp_path, cell))


def test_a_check_in_the_next_section_does_not_count(tmp_path: Path) -> None:
    cells = (code("run", "go()", "nbval-ignore-output"), heading(), code("claim", "check('it goes', True)"))
    assert "no check follows" in "\n".join(faults(tmp_path, *cells))


@pytest.mark.parametrize("source", ["room = open_room('01-a')", "room.close()"])
def test_opening_and_closing_the_room_claim_nothing(tmp_path: Path, source: str) -> None:
    assert faults(tmp_path, code("x", source, "nbval-ignore-output")) == []


def test_an_error_that_is_meant_and_checked_may_be_stored(tmp_path: Path) -> None:
    error = {"output_type": "error", "ename": "CheckFailed", "evalue": "", "traceback": []}
    meant = code("fail", "fail()", "raises-exception", outputs=[error])
    assert faults(tmp_path, meant, code("claim", "check('it failed', True)")) == []


def test_a_check_below_a_smaller_heading_counts(tmp_path: Path) -> None:
    cells = (code("run", "go()", "nbval-ignore-output"), heading("### See"), code("claim", "check('it goes', True)"))
    assert faults(tmp_path, *cells) == []


def test_an_old_format_and_another_kernel_are_noticed(tmp_path: Path) -> None:
    found = faults(tmp_path, nbformat_minor=4, metadata={})
    assert len(found) == 2


@pytest.mark.parametrize(
    "line",
    ["see /home/ann/course/x.py", "cd /root/course", "FROM ghcr.io/some/thing", "index-url = https://pypi.org/simple"],
)
def test_a_machine_path_or_a_host_is_noticed_with_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "file.txt"
    path.write_text(f"fine\n{line}\n")
    assert [fault.split(" names ")[0] for fault in rules.text_faults(path)] == ["line 2"]


def test_a_picture_is_not_read_as_text(tmp_path: Path) -> None:
    path = tmp_path / "shot.png"
    path.write_bytes(b"\x89PNG\r\n/home/ann/x")
    assert list(rules.text_faults(path)) == []
