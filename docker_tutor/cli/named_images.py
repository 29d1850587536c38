"""Which images the notebooks name: read from their first cell, `open_room(…, images=[…])`."""

import ast
import json
from pathlib import Path

__all__ = ["named_in"]


def named_in(folder: Path) -> dict[str, list[str]]:
    """Return each image's name with the notebooks that name it, in the order of the course."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] != "code":
                continue
            for name in _images("".join(cell["source"])):
                notebooks = found.setdefault(name, [])
                if path.stem not in notebooks:
                    notebooks.append(path.stem)
    return found


def _images(source: str) -> list[str]:
    if "open_room(" not in source:
        return []
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []  # a cell in another language that mentions it
    return [
        str(element.value)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "open_room"
        for keyword in call.keywords
        if keyword.arg == "images" and isinstance(keyword.value, ast.List | ast.Tuple)
        for element in keyword.value.elts
        if isinstance(element, ast.Constant)
    ]
