"""A notebook that is run without an engine ends in one clear error of the package's own."""

import os
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel

from docker_tutor import errors, paths

NOTEBOOKS = sorted((paths.checkout() / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS[:1], ids=lambda path: path.stem)
def test_opening_the_room_says_in_one_sentence_that_no_engine_answers(path: Path, tmp_path: Path) -> None:
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    first = next(source for source in cells if "open_room(" in source)
    nowhere = {"DOCKER_TUTOR_ENGINE": "existing", "DOCKER_HOST": f"unix://{tmp_path}/nowhere.sock"}
    manager, client = start_new_kernel(kernel_name="python3", env=os.environ | nowhere, cwd=str(tmp_path))
    try:
        content = client.execute_interactive(first, timeout=60, allow_stdin=False, output_hook=lambda _message: None)[
            "content"
        ]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert content["status"] == "error"
    assert issubclass(getattr(errors, content["ename"]), errors.EngineError)
    assert "nowhere.sock" in content["evalue"]
    assert len(content["evalue"].splitlines()) == 1
