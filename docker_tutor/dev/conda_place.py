"""What is carried out in conda's place where no conda channel can be reached: repo2docker's base environment from PyPI.

It is two commands, by the name under which it is started. As repo2docker's script for the base environment it makes
`$NB_PYTHON_PREFIX` out of the system's Python, with the packages that repo2docker's own list has, in the same versions;
as `mamba` it does what the Dockerfile asks of that: it brings `environment.yml` in, says what there is, and activates.

It runs in an image that has nothing of this course yet, hence the standard library and Debian's PyYAML only.
Source: repo2docker, `buildpacks/conda`; mamba, `libmamba/src/api/pip_utils.cpp` (where pip is started, and how).
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path

__all__ = ["SPECIFIED", "locked", "main", "requirements", "update"]

LOCKED = re.compile(r"/(?P<name>[^/]+)-(?P<version>[^-/]+)-[^-/]+\.(?:conda|tar\.bz2)")
SPECIFIED = {
    "ipywidgets": "ipywidgets",
    "jupyter-offlinenotebook": "jupyter-offlinenotebook",
    "jupyter-resource-usage": "jupyter-resource-usage",
    "jupyter_server": "jupyter_server",
    "jupyterhub-singleuser": "jupyterhub",
    "jupyterlab": "jupyterlab",
    "notebook": "notebook",
    "pip": "pip",
}
"""What repo2docker asks conda for by name, and what PyPI calls it (Node.js apart, which is not a Python package)."""
ACTIVATES = 'mamba() { [ "$1" = activate ] && export CONDA_PREFIX="$2"; }'


def locked(lines: Iterable[str]) -> dict[str, str]:
    """Return name → version of the packages whose addresses are in `lines` of a conda lock file."""
    return {found["name"]: found["version"] for line in lines if (found := LOCKED.search(line))}


def requirements(dependencies: Iterable[object], python: str) -> tuple[list[str], list[str]]:
    """Return what conda is to install, in pip's words, and the lines of pip's own part, of an `environment.yml`.

    Raises `ValueError` when it asks for another Python than `python` (major and minor).
    """
    ours: list[str] = []
    theirs: list[str] = []
    for each in dependencies:
        if isinstance(each, Mapping):
            theirs += each.get("pip", [])
            continue
        name, wanted = re.fullmatch(r"([\w.-]+)\s*(.*)", str(each)).groups()  # type: ignore[union-attr]
        if name == "python":
            if wanted.strip("= ") != python:
                raise ValueError(f"{each!r} is asked for, and repo2docker has made an environment of python={python}")
        elif name != "pip":
            ours.append(name + re.sub(r"^=(?!=)", "==", wanted.replace(" ", "")))
    return ours, theirs


def update(prefix: Path, file: Path) -> None:
    """Bring the dependencies of `file` into `prefix`: pip is started in the file's own folder, with a list there."""
    yaml = import_module("yaml")
    python = str(prefix / "bin/python")
    version = "import sys; print('{}.{}'.format(*sys.version_info))"
    has = subprocess.run([python, "-c", version], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    ours, theirs = requirements(yaml.safe_load(file.read_text())["dependencies"], has)
    if ours:
        subprocess.run([python, "-m", "pip", "install", "--no-cache-dir", "--quiet", *ours], check=True)
    with tempfile.NamedTemporaryFile("w", dir=file.parent, prefix="mambaf") as listed:
        listed.write("".join(f"{line}\n" for line in theirs))
        listed.flush()
        pip = [python, "-m", "pip", "install", "-r", listed.name, "--no-input", "--quiet"]
        subprocess.run(pip, cwd=file.parent, check=True)


def _make() -> None:
    """Make the base environment as root, and give it to the notebook's user."""
    prefix, folder = Path(os.environ["NB_PYTHON_PREFIX"]), Path(os.environ["CONDA_DIR"])
    for words in (["update"], ["install", "--yes", "--no-install-recommends", "python3-venv", "python3-yaml"]):
        subprocess.run(["apt-get", "-qq", *words], stdout=subprocess.DEVNULL, check=True)
    subprocess.run(["/usr/bin/python3", "-m", "venv", prefix], check=True)
    has = locked(Path(os.environ["NB_ENVIRONMENT_FILE"]).read_text().splitlines())
    wanted = [f"{pip}=={has[name]}" for name, pip in SPECIFIED.items()]
    sys.stderr.write(f"in conda's place: {' '.join(wanted)}\n")
    subprocess.run([prefix / "bin/python", "-m", "pip", "install", "--no-cache-dir", "--quiet", *wanted], check=True)
    mamba = folder / "bin/mamba"
    mamba.parent.mkdir()
    shutil.copy(__file__, mamba)
    mamba.chmod(0o755)
    Path("/usr/local/bin/micromamba").symlink_to(mamba)
    subprocess.run(["chown", "-R", f"{os.environ['NB_USER']}:", folder], check=True)


def main(words: list[str]) -> None:
    """Do what the Dockerfile asks for with `words`."""
    match words:
        case ["env", "update", "-p", prefix, "--file", file]:
            update(Path(prefix), Path(file).absolute())
        case ["list", "-p", prefix]:
            subprocess.run([f"{prefix}/bin/python", "-m", "pip", "list", "--format=freeze"], check=True)
        case ["clean", *_]:
            pass  # there is no cache of conda's
        case ["shell", "hook", *_]:
            sys.stdout.write(f"{ACTIVATES}\n")
        case []:
            _make()
        case _:
            sys.exit(f"this stands in conda's place and cannot do {words}")


if __name__ == "__main__":
    main(sys.argv[1:])
