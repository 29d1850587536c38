"""The picture of a search for a secret: methods against places, each find with its byte."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from docker_tutor.i18n import _
from docker_tutor.plots.palette import BLUE, VERMILION
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.archaeology import Season

__all__ = ["secret_archaeology"]


def secret_archaeology(result: Season) -> Picture:
    """Draw a grid of methods and places; where the token was found, the cell is hatched and names the byte."""
    layers = max(found.layers for found in result.digs.values())
    places = ["config", *(f"layer {number}" for number in range(1, layers + 1)), "build cache"]
    figure = Figure(figsize=(9.5, 0.75 * len(result.digs) + 1.5), layout="constrained")
    axes = figure.add_subplot()
    for y, found in enumerate(result.digs.values()):
        # An image with fewer layers leaves its last cells empty.
        there = [*places[: 1 + found.layers], *[""] * (layers - found.layers), places[-1]]
        for x, place in enumerate(there):
            if place:
                _cell(axes, x, y, [find.offset_bytes for find in found.in_place(place)])
    axes.set_xlim(0, len(places))
    axes.set_ylim(len(result.digs), 0)
    titles = [_("config and\nhistory") if place == "config" else place for place in places]
    axes.set_xticks([x + 0.5 for x in range(len(places))], titles)
    axes.set_yticks([y + 0.5 for y in range(len(result.digs))], list(result.digs))
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(_("Where the token lies after the build (layer 1 is the base image)"), pad=14)
    leaking = [method for method, found in result.digs.items() if found.finds]
    clean = [method for method, found in result.digs.items() if not found.finds]
    alt = _(
        "A grid of ways to hand over a token and places in the image. Found after: {leaking}. Not found after: {clean}."
    )
    text = alt.format(leaking=", ".join(leaking) or _("none"), clean=", ".join(clean) or _("none"))
    return Picture(figure, text, result.to_frame())


def _cell(axes: Axes, x: int, y: int, offsets: list[int]) -> None:
    colour, hatch = (VERMILION, "///") if offsets else (BLUE, "")
    axes.add_patch(
        Rectangle(
            (x + 0.04, y + 0.08),
            0.92,
            0.84,
            facecolor=colour,
            alpha=0.3 if offsets else 0.1,
            edgecolor=colour,
            hatch=hatch,
        )
    )
    if not offsets:
        axes.text(x + 0.5, y + 0.5, "–", ha="center", va="center")
        return
    text = _("byte {first:,}").format(first=offsets[0])
    if len(offsets) > 1:
        text += "\n" + _("and {more} more").format(more=len(offsets) - 1)
    plate = {"facecolor": "white", "edgecolor": "none", "pad": 2, "alpha": 0.9}
    axes.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=9, bbox=plate)
