"""Execute a notebook and store its outputs, leaving untouched whatever has not really changed."""

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from docker_tutor import paths
from docker_tutor.dev import sanitize, testengine
from docker_tutor.errors import CourseError
from docker_tutor.i18n import _
from docker_tutor.progress import Report, silent

__all__ = ["merge", "named", "normalise", "refresh"]

CELL_TIMEOUT_S = 600
VARYING = "nbval-ignore-output"
"""The tag of a cell whose output differs from run to run."""

_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
_WIDGET = "application/vnd.jupyter.widget-view+json"
_LANGUAGE = {"name": "python"}


def named(names: Sequence[str]) -> list[Path]:
    """Return the notebooks of those names or beginnings (`01`), all for none. Raises CourseError for an unknown one."""
    every = sorted((paths.checkout() / "notebooks").glob("*.ipynb"))
    found = []
    for name in names:
        wanted = Path(name).name.removesuffix(".ipynb")
        matching = [path for path in every if path.stem.startswith(wanted)]
        if not matching:
            raise CourseError(_("No notebook is called {name}.").format(name=name))
        found += matching
    return found or every


def refresh(path: Path, report: Report = silent, *, varying: bool = False) -> list[str]:
    """Execute the notebook at `path` on the test engine; return the ids of the cells whose output changed.

    With `varying`, cells whose output differs from run to run get the new one too: for better pictures, or when
    the way in which they are drawn has changed. The file is written only when something changed.
    Raises CellExecutionError when a cell fails; nothing is written.
    """
    text = path.read_text(encoding="utf-8")
    stored = nbformat.reads(text, as_version=4)
    fresh = copy.deepcopy(stored)
    with testengine.running(report):
        client = NotebookClient(fresh, timeout=CELL_TIMEOUT_S, kernel_name="python3", resources=_in(path.parent))
        client.record_timing = False
        client.store_widget_state = False
        client.execute()
    normalise(fresh)
    normalise(stored)
    changed = merge(stored, fresh, sanitize.from_file(sanitize.config_path()), varying=varying)
    written = nbformat.writes(stored, version=4)
    if not written.endswith("\n"):
        written += "\n"
    if written != text:
        path.write_text(written, encoding="utf-8")
    return changed


def merge(
    stored: NotebookNode, fresh: NotebookNode, clean: Callable[[str], str], *, varying: bool = False
) -> list[str]:
    """Take into `stored` the outputs of `fresh` that differ; return those cells' ids.

    An output is the same when it is equal after `clean`; in a cell tagged as varying, when it is of the same kinds,
    unless `varying` asks for new ones.
    """
    changed = []
    for old, new in zip(stored.cells, fresh.cells, strict=True):
        asked_for = varying and VARYING in old.metadata.get("tags", [])
        if old.cell_type != "code" or (_same(old, new, clean) and not asked_for):
            continue
        old.outputs = new.outputs
        changed.append(str(old.id))
    return changed


def normalise(notebook: NotebookNode) -> None:
    """Leave in the metadata what Jupyter needs, number the executions 1…n, keep of a widget what needs no kernel."""
    notebook.metadata = NotebookNode(kernelspec=NotebookNode(_KERNEL), language_info=NotebookNode(_LANGUAGE))
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    count = 0
    for cell in notebook.cells:
        kept = {key: value for key, value in cell.metadata.items() if key in {"tags", "jupyter", "editable"}}
        cell.metadata = NotebookNode(kept)
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
            cell.outputs = _coalesced(cell.outputs)
            for output in cell.outputs:
                _normalise_output(output, count)


def _coalesced(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join neighbouring pieces of one stream: they would be shown with a break wherever a pipe happened to pause."""
    joined: list[NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last and output.output_type == "stream" == last.output_type and output.name == last.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


def _normalise_output(output: NotebookNode, count: int) -> None:
    if output.output_type == "execute_result":
        output.execution_count = count
    if "metadata" in output:
        output.metadata = NotebookNode()
    for place in (output, output.get("data", {})):
        for kind, content in place.items():
            if isinstance(content, str):
                place[kind] = content.replace(str(Path.home()), "~")
    if len(output.get("data", {})) > 1:
        # Without its kernel a widget is an error message; its text or picture, stored beside it, is not.
        output.data.pop(_WIDGET, None)


def _same(old: NotebookNode, new: NotebookNode, clean: Callable[[str], str]) -> bool:
    if VARYING in old.metadata.get("tags", []):
        return sanitize.kinds(old.outputs) == sanitize.kinds(new.outputs)
    before, after = sanitize.comparable(old.outputs, clean), sanitize.comparable(new.outputs, clean)
    return before == after and sanitize.kinds(old.outputs) == sanitize.kinds(new.outputs)


def _in(folder: Path) -> Mapping[str, Any]:
    return {"metadata": {"path": str(folder)}}
