import json
from pathlib import Path

from docker_tutor.cli.named_images import named_in


def write(folder: Path, name: str, *sources: str) -> None:
    cells = [{"cell_type": "code", "source": [source]} for source in sources]
    (folder / name).write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": ["# t"]}, *cells]}))


def test_images_are_read_from_where_the_room_is_opened(tmp_path: Path) -> None:
    write(tmp_path, "01-a.ipynb", 'room = open_room("01-a", images=["alpine:3.19", "nginx"])')
    write(tmp_path, "02-b.ipynb", "1 + 1", 'room = open_room("02-b", images=["nginx"])')
    assert named_in(tmp_path) == {"alpine:3.19": ["01-a"], "nginx": ["01-a", "02-b"]}


def test_cells_in_other_languages_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "01-a.ipynb", "%%bash\necho 'open_room(' | cat", "open_room('x')", "open_room('x', images=names)")
    assert named_in(tmp_path) == {}


def test_a_list_with_a_name_is_read_too(tmp_path: Path) -> None:
    source = 'images = ["nginx"]\nimages += ["redis:7-alpine"]\nroom = open_room("01", images=images)'
    write(tmp_path, "01-a.ipynb", source)
    assert named_in(tmp_path) == {"nginx": ["01-a"], "redis:7-alpine": ["01-a"]}
