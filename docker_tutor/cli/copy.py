"""The learner's own copy of the notebooks: `work/`, made from `notebooks/` without the outputs, never overwritten."""

import datetime as dt
import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from docker_tutor import paths
from docker_tutor.errors import CourseError
from docker_tutor.i18n import _

__all__ = ["Copied", "course_folder", "find", "learner_folder", "reset", "update"]

MANIFEST = ".course.json"
_LEFT_OUT = shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__", ".*")


@dataclass(frozen=True, slots=True)
class Copied:
    """What `update` did to the learner's folder."""

    added: tuple[str, ...]
    """Files that were not there and are now."""
    newer: tuple[str, ...]
    """Files of which the course has a newer edition than the one that the learner was given: left as they are."""


def course_folder() -> Path:
    """Return the course's own notebooks."""
    return paths.checkout() / "notebooks"


def learner_folder() -> Path:
    """Return the learner's copy: `work/` in the checkout."""
    return paths.checkout() / "work"


def update(source: Path, target: Path) -> Copied:
    """Add to `target` every file of `source` that it lacks; overwrite none.

    Raises CourseError when there is nothing to copy, or nowhere to write.
    """
    files = _files(source)
    if not files:
        raise CourseError(_("There are no notebooks in {folder}: this checkout is incomplete.").format(folder=source))
    try:
        target.mkdir(parents=True, exist_ok=True)
        given = _read_manifest(target)
        added, newer = [], []
        for name in files:
            edition = _digest(source / name)
            if not (target / name).exists():
                _copy(source / name, target / name)
                given[name] = edition
                added.append(name)
            elif given.get(name) != edition:
                newer.append(name)
        _write_manifest(target, given)
    except OSError as error:
        message = _("Your copy of the notebooks in {folder} could not be written: {why}")
        raise CourseError(message.format(folder=target, why=error)) from error
    return Copied(tuple(added), tuple(newer))


def reset(notebook: str, source: Path, target: Path, *, now: dt.datetime) -> tuple[Path, Path | None]:
    """Give the learner a fresh copy of `notebook` and keep the old one beside it under a dated name.

    `notebook` is a file's name, with or without `.ipynb`, or its beginning (`01`). Returns the fresh file and the
    backup (None when there was no old one). Raises CourseError when no notebook, or more than one, answers to it.
    """
    name = find(notebook, source)
    fresh, backup = target / name, None
    if fresh.exists():
        backup = _free_name(fresh.with_name(f"{fresh.stem}.{now:%Y-%m-%d-%H%M}{fresh.suffix}"))
        fresh.rename(backup)
    _copy(source / name, fresh)
    _write_manifest(target, _read_manifest(target) | {name: _digest(source / name)})
    return fresh, backup


def find(notebook: str, source: Path) -> str:
    """Return the file's name of the notebook that answers to `notebook`; raises CourseError as `reset` does."""
    wanted = Path(notebook).name.removesuffix(".ipynb")
    names = [name for name in _files(source) if name.endswith(".ipynb")]
    exact = [name for name in names if Path(name).stem == wanted]
    found = exact or [name for name in names if wanted and Path(name).stem.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(Path(name).stem for name in found or names)
    if found:
        raise CourseError(_("{name} could be any of these: {known}").format(name=notebook, known=known))
    raise CourseError(_("No notebook is called {name}. There are: {known}").format(name=notebook, known=known))


def _free_name(wanted: Path) -> Path:
    candidate, count = wanted, 1
    while candidate.exists():
        count += 1
        candidate = wanted.with_name(f"{wanted.stem}-{count}{wanted.suffix}")
    return candidate


def _files(source: Path) -> list[str]:
    found = (path.relative_to(source) for path in source.rglob("*") if path.is_file())
    kept = (path for path in found if not _LEFT_OUT("", list(path.parts)))
    return sorted(str(path) for path in kept)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix != ".ipynb":
        shutil.copyfile(source, target)
        return
    # The learner predicts first and runs then: a stored output would give the answer away.
    notebook = json.loads(source.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    target.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read_manifest(target: Path) -> dict[str, str]:
    try:
        read = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        # Without it, nothing is lost but the news that the course has newer editions.
        return {}
    return {str(name): str(edition) for name, edition in read.items()} if isinstance(read, dict) else {}


def _write_manifest(target: Path, given: dict[str, str]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    (target / MANIFEST).write_text(json.dumps(given, indent=1, sort_keys=True) + "\n", encoding="utf-8")
