"""Images as stacks: each layer a slab with its size, what is only configuration beside them, a container on top."""

import textwrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from docker_tutor.i18n import _
from docker_tutor.plots.palette import BLUE, GREEN, GREY, VERMILION
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.layers import Image
from docker_tutor.units import human_bytes

__all__ = ["layer_bytes", "layer_stack"]

WIDE, HIGH = 9.6, 0.42


def layer_stack(image: Image) -> Picture:
    """Draw an image's history from bottom to top: slabs for layers, dashed outlines for mere configuration."""
    rows = len(image.history) + 1
    figure = Figure(figsize=(WIDE, 0.9 + HIGH * rows), layout="constrained")
    axes = figure.add_subplot()
    for y, line in enumerate(image.history):
        layer = None if line.layer is None else image.layers[line.layer]
        if layer is None:
            _slab(axes, y, GREY, "", line.instruction, _("configuration, 0 B"), dashed=True)
        else:
            digest = layer.digest.removeprefix("sha256:")[:12]
            right = _("layer {digest} · {size}").format(digest=digest, size=human_bytes(layer.size_bytes))
            _slab(axes, y, BLUE, "", line.instruction, right)
    _slab(axes, rows - 1, GREEN, "...", _("a container's own layer: read and write"), _("made by docker run"))
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.1, rows)
    axes.axis("off")
    axes.set_title(_("{image}: what lies on what").format(image=image.name))
    alt = _("A stack from bottom to top: {lines}; on top the container's own writable layer.")
    words = [
        f"{line.instruction} ({_('configuration') if line.layer is None else _size(image, line.layer)})"
        for line in image.history
    ]
    return Picture(figure, alt.format(lines="; ".join(words)), image.to_frame())


def layer_bytes(image: Image) -> Picture:
    """Draw for each layer the bytes that it brings, and how many of them a higher layer hides again."""
    layers = image.layers
    lost = _lost(image)
    figure = Figure(figsize=(WIDE, 1.7 + 0.42 * len(layers)), layout="constrained")
    axes = figure.add_subplot()
    mib = [layer.size_bytes / (1 << 20) for layer in layers]
    gone = [value / (1 << 20) for value in lost]
    seen = [whole - lost_part for whole, lost_part in zip(mib, gone, strict=True)]
    axes.barh(range(len(layers)), seen, left=gone, color=BLUE, alpha=0.6, edgecolor=BLUE)
    axes.barh(range(len(layers)), gone, color=VERMILION, alpha=0.7, edgecolor=VERMILION, hatch="xxx")
    for y, layer in enumerate(layers):
        words = [_("+{count} files").format(count=layer.count("added"))] if layer.count("added") else []
        words += [_("~{count}").format(count=layer.count("changed"))] if layer.count("changed") else []
        removed = sum(change.kind == "removed" for change in layer.changes)
        words += [_("−{count}").format(count=removed)] if removed else []
        label = f"{human_bytes(layer.size_bytes)}  {' '.join(words)}"
        axes.annotate(label, (mib[y], y), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8)
    names = [textwrap.shorten(f"{layer.index}  {layer.instruction}", 46, placeholder=" …") for layer in layers]
    axes.set_yticks(range(len(layers)), names, fontsize=8, family="monospace")
    axes.set_xlim(0, max([*mib, 0.01]) * 1.28)
    axes.set_xlabel(_("MiB of files in the layer"))
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(
        _("{image}: {wasted} of {shipped} are shipped and never seen (efficiency {score:.1%})").format(
            image=image.name,
            wasted=human_bytes(image.wasted_bytes),
            shipped=human_bytes(image.shipped_bytes),
            score=image.efficiency,
        )
    )
    styles = (
        Patch(facecolor=BLUE, alpha=0.6, edgecolor=BLUE, label=_("files of the layer")),
        Patch(facecolor=VERMILION, alpha=0.7, edgecolor=VERMILION, hatch="xxx", label=_("hidden by a higher layer")),
    )
    figure.legend(handles=styles, loc="outside lower center", ncols=2, frameon=False, handlelength=2.4)
    alt = _("{count} layers with {shipped} of files; {wasted} of them are hidden by higher layers.").format(
        count=len(layers), shipped=human_bytes(image.shipped_bytes), wasted=human_bytes(image.wasted_bytes)
    )
    return Picture(figure, alt, image.to_frame())


def _lost(image: Image) -> list[int]:
    """For each layer, how many of its bytes are not in the final view."""
    last: dict[str, tuple[int, int]] = {}
    lost = [0] * len(image.layers)
    for layer in image.layers:
        for change in layer.changes:
            if change.kind == "removed":
                below = f"{change.path}/"
                for path in [each for each in last if each == change.path or each.startswith(below)]:
                    index, size = last.pop(path)
                    lost[index] += size if index != layer.index else 0
            elif not change.folder:
                if change.path in last:
                    index, size = last[change.path]
                    lost[index] += size
                last[change.path] = (layer.index, change.size_bytes)
    return lost


def _slab(axes: Axes, y: int, colour: str, hatch: str, left: str, right: str, *, dashed: bool = False) -> None:
    inset = 0.03 if dashed else 0.0
    slab = Rectangle((inset, y + 0.06), 1 - 2 * inset, 0.88, edgecolor=colour, linewidth=1.2, hatch=hatch)
    if dashed:
        slab.set(fill=False, linestyle=(0, (4, 3)))
    else:
        slab.set(facecolor=colour, alpha=0.3)
    axes.add_patch(slab)
    shown = textwrap.shorten(left.splitlines()[0] if left else "", 76, placeholder=" …")
    plate = {"facecolor": "white", "edgecolor": "none", "pad": 1.2, "alpha": 0.85} if hatch else None
    axes.text(inset + 0.015, y + 0.5, shown, va="center", fontsize=9, family="monospace", bbox=plate)
    axes.text(1 - inset - 0.015, y + 0.5, right, va="center", ha="right", fontsize=9, bbox=plate)


def _size(image: Image, index: int) -> str:
    return human_bytes(image.layers[index].size_bytes)
