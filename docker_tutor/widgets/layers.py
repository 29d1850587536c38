"""A look into each layer of an image: go to one with Tab and choose it with Space; folders open with Space too.

Without a kernel the picture of all layers is left, and the same data as a table.
"""

import html
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from docker_tutor.classroom.bars import in_kernel
from docker_tutor.i18n import _
from docker_tutor.plots.layers import layer_bytes
from docker_tutor.topics.layers import Change, Image, Layer
from docker_tutor.units import human_bytes

if TYPE_CHECKING:
    import ipywidgets

__all__ = ["LayerExplorer"]

SHOWN = 200
"""A layer's largest changes that are listed; the others are counted."""
WIDE = 84
"""Characters of a layer's button."""
SIGNS = {"added": "+", "changed": "~", "removed": "−"}


@dataclass
class _Folder:
    folders: dict[str, "_Folder"] = field(default_factory=lambda: defaultdict(_Folder))
    changes: list[Change] = field(default_factory=list)

    def bytes(self) -> int:
        own = sum(_weight(change) for change in self.changes)
        return own + sum(folder.bytes() for folder in self.folders.values())


class LayerExplorer:
    """Shows an image's layers as a list, and the chosen layer's files as a tree, with what it hides."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self.chosen = len(image.layers) - 1
        self.kinds = frozenset(SIGNS)
        self._tree: ipywidgets.HTML | None = None
        self._buttons: dict[int, ipywidgets.Button] = {}

    def choose(self, index: int) -> None:
        """Look into layer `index`, counted from 0 at the bottom. Raises IndexError."""
        if not 0 <= index < len(self.image.layers):
            raise IndexError(index)
        self.chosen = index
        self._redraw()

    def show(self, *kinds: str) -> None:
        """List only changes of these kinds: added, changed, removed."""
        self.kinds = frozenset(kinds)
        self._redraw()

    def summary(self) -> str:
        """Say in one line what the image ships, wastes and scores."""
        return _("{shipped} shipped, {wasted} of it never seen: efficiency {score:.1%}").format(
            shipped=human_bytes(self.image.shipped_bytes),
            wasted=human_bytes(self.image.wasted_bytes),
            score=self.image.efficiency,
        )

    def page(self) -> str:
        """Return the chosen layer as HTML: folders that open and close, files with sign, size and kind."""
        layer = self.image.layers[self.chosen]
        changes = [each for each in layer.changes if each.kind in self.kinds and (_weight(each) or not each.folder)]
        listed = sorted(changes, key=lambda change: -_weight(change))[:SHOWN]
        root = _Folder()
        for change in listed:
            *folders, _name = change.path.strip("/").split("/")
            place = root
            for name in folders:
                place = place.folders[name]
            place.changes.append(change)
        rest = len(changes) - len(listed)
        more = _("… and {count} smaller ones").format(count=rest) if rest else ""
        nothing = "" if changes else _("nothing of that kind")
        return (
            f"<div role='region' aria-label='{html.escape(_('Files of the layer'), quote=True)}'>"
            f"<p><code>{html.escape(layer.instruction)}</code><br>{html.escape(self._counts(layer))}</p>"
            f"<div style='font-family:monospace;line-height:1.5'>{_drawn(root)}</div><p>{more}{nothing}</p></div>"
        )

    def _counts(self, layer: Layer) -> str:
        removed = sum(change.kind == "removed" for change in layer.changes)
        return _(
            "{size}: {added} added, {changed} changed, {removed} removed; it hides {hidden} of layers below"
        ).format(
            size=human_bytes(layer.size_bytes),
            added=layer.count("added"),
            changed=layer.count("changed"),
            removed=removed,
            hidden=human_bytes(layer.hidden_bytes),
        )

    def _mark(self) -> None:
        for index, button in self._buttons.items():
            layer = self.image.layers[index]
            mark = "▸" if index == self.chosen else " "
            label = f"{mark} {index:>2} {human_bytes(layer.size_bytes):>9}  {layer.instruction}"
            label = label if len(label) <= WIDE else f"{label[: WIDE - 1]}…"
            button.description = label.replace(" ", "\u00a0")  # so that the columns stay columns
            button.button_style = "info" if index == self.chosen else ""

    def _redraw(self) -> None:
        self._mark()
        if self._tree is not None:
            self._tree.value = self.page()

    def _widget(self) -> "ipywidgets.VBox":
        import ipywidgets

        # Buttons and not a list box: JupyterLab keeps the arrow keys for itself.
        wide = ipywidgets.Layout(
            width="100%", max_width="60em", min_height="2em", display="flex", justify_content="flex-start"
        )
        self._buttons = {
            layer.index: ipywidgets.Button(layout=wide, tooltip=_("Look into this layer"))
            for layer in reversed(self.image.layers)
        }
        for index, button in self._buttons.items():
            button.style.font_family = "monospace"
            button.on_click(lambda _button, index=index: self.choose(index))
        self._mark()
        layers = ipywidgets.VBox(
            list(self._buttons.values()),
            layout=ipywidgets.Layout(max_height="22em", overflow="auto", margin="0 0 6px 0"),
        )
        layers.add_class("docker-tutor-layers")
        kinds = [
            ipywidgets.ToggleButton(value=True, description=f"{sign} {_(kind)}", tooltip=_(kind))
            for kind, sign in SIGNS.items()
        ]
        self._tree = ipywidgets.HTML(self.page(), layout=ipywidgets.Layout(max_height="24em", overflow="auto"))

        def narrow(_change: Any) -> None:
            self.show(*(kind for kind, button in zip(SIGNS, kinds, strict=True) if button.value))

        for button in kinds:
            button.observe(narrow, names="value")
        head = ipywidgets.HTML(f"<strong>{html.escape(self.image.name)}</strong>: {html.escape(self.summary())}")
        return ipywidgets.VBox([head, layers, ipywidgets.HBox(kinds), self._tree])

    def _repr_mimebundle_(self, **_wanted: object) -> dict[str, object]:
        bundle: dict[str, object] = dict(layer_bytes(self.image)._repr_mimebundle_())
        if in_kernel():
            drawn = self._widget()._repr_mimebundle_()
            view = "application/vnd.jupyter.widget-view+json"
            bundle[view] = drawn[view]
        return bundle


def _drawn(place: _Folder) -> str:
    parts = []
    for name, folder in sorted(place.folders.items(), key=lambda item: -item[1].bytes()):
        opened = " open" if len(place.folders) == 1 else ""
        parts.append(
            f"<details{opened} style='margin-left:1em'><summary>{html.escape(name)}/ "
            f"<small>{human_bytes(folder.bytes())}</small></summary>{_drawn(folder)}</details>"
        )
    for change in sorted(place.changes, key=lambda change: -_weight(change)):
        name = change.path.rsplit("/", 1)[-1] + ("/" if change.folder else "")
        words = _("hides {size}") if change.kind == "removed" else "{size}"
        said = words.format(size=human_bytes(_weight(change)))
        parts.append(
            f"<div style='margin-left:2em'>{SIGNS[change.kind]} {html.escape(name)} "
            f"<small>{html.escape(said)}, {_(change.kind)}</small></div>"
        )
    return "".join(parts)


def _weight(change: Change) -> int:
    return change.hidden_bytes if change.kind == "removed" else change.size_bytes
