"""A recipe as it is written in its folder."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

__all__ = ["Recipe", "Variant", "recipes"]

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Variant:
    """One release of Debian to make the image from, and the version that it gives."""

    suite: str
    version: str
    """The version that this release carries, as far as tags name it: `3.11`; empty when versions do not matter."""
    packages: tuple[str, ...] = ()
    """Packages that only this variant has."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one family of images is made."""

    family: str
    """The name of its folder."""
    folder: Path
    title: str
    """What the reader knows it as: `Python`."""
    kind: Literal["pick", "root", "install"]
    """`pick`: chosen files out of packages; `root`: a whole Debian from nothing; `install`: packages on a base."""
    variants: tuple[Variant, ...]
    """The first is taken when a tag does not say which."""
    names: tuple[str, ...] = ()
    """The repositories that it stands for, as people type them."""
    tags: tuple[str, ...] = ("*",)
    """The tags that it stands for, as patterns: two recipes may share a repository (`eclipse-temurin`: JDK and JRE)."""
    base: str = ""
    """The family that it is installed on."""
    alpine_base: str = ""
    """The family that its tags with `alpine` are installed on."""
    packages: tuple[str, ...] = ()
    version_of: str = ""
    """The package whose version is the image's; the variant's first one when it is not said."""
    pick: Mapping[str, str] = field(default_factory=dict)
    """`package:/path/pattern` → where it goes; a target that ends in `/` keeps the paths below the pattern's folder."""
    concatenate: Mapping[str, str] = field(default_factory=dict)
    """File → the `package:/path/pattern` whose files it is made of."""
    shared: Mapping[str, str] = field(default_factory=dict)
    """Folder beside the recipes → where its files go."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """The image's configuration in the words of the OCI image specification; `{version}`, `{major}` are filled in."""
    tagged: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Pattern of tags → what the configuration of those says besides."""

    def added_files(self) -> dict[str, Path]:
        """Return what the recipe adds: path in the image → file here."""
        found: dict[str, Path] = {}
        sources = {self.folder / "files": "/"} | {FOLDER / name: target for name, target in self.shared.items()}
        for source, target in sources.items():
            for file in sorted(source.rglob("*")):
                if file.is_file():
                    found[f"{target.rstrip('/')}/{file.relative_to(source).as_posix()}"] = file
        return found

    def lines(self, name: str) -> list[list[str]]:
        """Return the words of each line of the text file `name` in the folder; none when it is absent."""
        file = self.folder / name
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        return [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]

    @property
    def adds(self) -> bool:
        """Whether the recipe adds anything besides packages."""
        return bool(self.added_files() or self.lines("links.txt") or self.lines("directories.txt") or self.script())

    def script(self) -> str:
        """Return what is run at the end in a container; empty when nothing is."""
        file = self.folder / "finish.sh"
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def digest(self) -> str:
        """Return a digest of all that the recipe says: a changed recipe makes a new image."""
        total = hashlib.sha256()
        own = [self.folder / name for name in ("recipe.toml", "links.txt", "directories.txt", "finish.sh")]
        for file in [*(f for f in own if f.exists()), *self.added_files().values()]:
            total.update(file.relative_to(FOLDER).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
        return total.hexdigest()


@cache
def recipes() -> dict[str, Recipe]:
    """Return all recipes of the package by family."""
    return {file.parent.name: _read(file) for file in sorted(FOLDER.glob("*/recipe.toml"))}


def _read(file: Path) -> Recipe:
    said = tomllib.loads(file.read_text(encoding="utf-8"))
    variants = tuple(
        Variant(v["suite"], v.get("version", ""), tuple(v.get("packages", ()))) for v in said.pop("variants")
    )
    lists: dict[str, Any] = {key: tuple(said.pop(key)) for key in ("names", "packages", "tags") if key in said}
    return Recipe(family=file.parent.name, folder=file.parent, variants=variants, **lists, **said)
