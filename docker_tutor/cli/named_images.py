"""Which images the notebooks name: read from their first cell, `open_room(…, images=[…])` or a list with a name."""

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
    listed: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                listed[name] = _names(value)
            case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=value):
                listed[name] = [*listed.get(name, []), *_names(value)]
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    wanted = [
        keyword.value
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "open_room"
        for keyword in call.keywords
        if keyword.arg == "images"
    ]
    return [
        each
        for value in wanted
        for each in (listed.get(value.id, []) if isinstance(value, ast.Name) else _names(value))
    ]


def _names(value: ast.expr) -> list[str]:
    elements = value.elts if isinstance(value, ast.List | ast.Tuple) else []
    return [str(element.value) for element in elements if isinstance(element, ast.Constant)]
