"""The house rules of the notebooks and of the repository, as a list of what breaks them."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["MAX_CODE_LINES", "notebook_faults", "text_faults", "tracked_files"]

MAX_CODE_LINES = 10
VARYING = "nbval-ignore-output"

# A path after `target=` is one inside an image.
_MACHINE_PATHS = re.compile(r"(?<![\w./])(?<!target=)/(?:root|home/\w+|Users/\w+|work)/[\w.-]+")
_HOSTS = re.compile(
    r"\b(?:[\w-]+\.)*(?:pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|(?:deb|security)\.debian\.org"
    r"|registry-1\.docker\.io|proxy\.golang\.org|repo1?\.maven\.(?:org|apache\.org)|ghcr\.io|quay\.io)"
)
_MAKES_NO_CLAIM = re.compile(r"\bopen_room\(|\broom\.close\(")
_IMAGE = re.compile(rb"\A(?:\x89PNG|\xff\xd8|GIF8)")


def notebook_faults(path: Path) -> Iterator[str]:
    """Yield one sentence for each house rule that the notebook at `path` breaks."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cells = notebook["cells"]
    if (notebook["nbformat"], notebook["nbformat_minor"]) < (4, 5):
        yield "it is older than format 4.5: its cells have no ids"
    if notebook["metadata"].get("kernelspec", {}).get("name") != "python3":
        yield "its kernel is not python3"
    identities = [cell.get("id", "") for cell in cells]
    if not all(identities) or len(set(identities)) != len(identities):
        yield "cell ids are missing or not unique"
    executed = [cell["execution_count"] for cell in cells if cell["cell_type"] == "code"]
    if executed != list(range(1, len(executed) + 1)):
        yield "its cells were not executed from 1 to n: `docker-tutor dev refresh` does that"
    for position, cell in enumerate(cells):
        for fault in _cell_faults(cell, cells[position + 1 :]):
            yield f"cell {cell.get('id', position)}: {fault}"


def _cell_faults(cell: dict[str, Any], following: list[dict[str, Any]]) -> Iterator[str]:
    source = "".join(cell["source"])
    tags = cell["metadata"].get("tags", [])
    if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f-]+)?", cell.get("id", "")):
        yield "its id is random: name it for what it does"
    if set(cell["metadata"]) - {"tags", "jupyter", "editable"}:
        yield "it has metadata that belong to one execution or one editor"
    if cell["cell_type"] != "code":
        return
    if len(source.strip().splitlines()) > MAX_CODE_LINES:
        yield f"it has more than {MAX_CODE_LINES} lines of code"
    if "nbval-skip" in tags or "# NBVAL_SKIP" in source:
        yield "it is never tested"
    raises = "raises-exception" in tags
    if VARYING in tags and not _MAKES_NO_CLAIM.search(source) and not _is_checked(following):
        yield "its output varies and no check follows before the next heading"
    if raises and not _is_checked(following):
        yield "nbval lets it pass when it does not raise, and no check follows before the next heading"
    if not raises and any(output["output_type"] == "error" for output in cell["outputs"]):
        yield "an error is stored as its output"


def _is_checked(following: list[dict[str, Any]]) -> bool:
    """Tell whether a strictly compared `check(…)` comes before the next section begins."""
    for cell in following:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown" and re.match(r"#{1,2} ", source):
            return False
        if cell["cell_type"] == "code" and VARYING not in cell["metadata"].get("tags", []) and "check(" in source:
            return True
    return False


def text_faults(path: Path) -> Iterator[str]:
    """Yield one sentence for each machine path and each registry's or mirror's host that a text file names."""
    content = path.read_bytes()
    if _IMAGE.match(content):
        return
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        for pattern, what in ((_MACHINE_PATHS, "a path of one machine"), (_HOSTS, "a registry or mirror by name")):
            found = pattern.search(line)
            if found:
                yield f"line {number} names {what}: {found[0]}"


def tracked_files(checkout: Path) -> list[Path]:
    """Return the files that git would hand to others."""
    command = [
        "git",
        "-C",
        str(checkout),
        "-c",
        "safe.directory=*",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := checkout / name).is_file()]
