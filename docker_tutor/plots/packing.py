"""The picture of what is shipped, line by line, with three RUNs and with one."""

from matplotlib.figure import Figure

from docker_tutor.i18n import _
from docker_tutor.plots.palette import BLUE, GREY, ORANGE
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.packing import Packing
from docker_tutor.units import MiB, human_bytes

__all__ = ["split_and_combined"]


def split_and_combined(result: Packing) -> Picture:
    """Draw what each way ships: seen by the container in plain blue, deleted and shipped all the same hatched."""
    figure = Figure(figsize=(9, 2.6), layout="constrained")
    axes = figure.add_subplot()
    for y, packed in enumerate((result.split, result.combined)):
        seen, hidden = packed.visible_bytes / MiB, (packed.shipped_bytes - packed.visible_bytes) / MiB
        axes.barh(y, seen, height=0.5, color=BLUE, alpha=0.6, label=_("a container sees it") if not y else None)
        label = _("deleted, and shipped all the same") if not y else None
        axes.barh(
            y, hidden, left=seen, height=0.5, color=ORANGE, alpha=0.45, hatch="///", edgecolor=ORANGE, label=label
        )
        said = human_bytes(packed.shipped_bytes)
        axes.annotate(said, (seen + hidden, y), (6, 0), textcoords="offset points", va="center")
    axes.set_yticks([0, 1], [result.split.way, result.combined.way])
    axes.set_ylim(1.6, -0.6)
    axes.set_xlim(0, result.split.shipped_bytes / MiB * 1.2)
    axes.set_xlabel(_("MiB above the base image"))
    axes.set_title(_("Lists fetched, program installed, lists removed"))
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.35), ncols=2, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color=GREY, alpha=0.2)
    alt = _("Bars: three RUNs ship {split}, one RUN ships {one}; a container sees {seen} of either.")
    values = {"split": result.split.shipped_bytes, "one": result.combined.shipped_bytes}
    seen_bytes = human_bytes(result.combined.visible_bytes)
    said = alt.format(**{key: human_bytes(value) for key, value in values.items()}, seen=seen_bytes)
    return Picture(figure, said, result.to_frame())
