"""The picture of what four ways of running a program cost: bars for each figure, on scales of powers of ten."""

from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from docker_tutor.i18n import _
from docker_tutor.plots.palette import BLUE, GREY, PURPLE, SKY
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.anatomy import Comparison, Costs
from docker_tutor.units import human_bytes, human_seconds

__all__ = ["machine_costs"]

COLOURS = (GREY, BLUE, SKY, PURPLE)
HATCHES = ("", "", "//", "xx")


def machine_costs(costs: Comparison) -> Picture:
    """Draw start, memory, computing and reading of each way side by side; a way that did not run here has no bar."""
    ways = (costs.process, costs.container, costs.user_mode or Costs(), costs.virtual_machine or Costs())
    panels: tuple[tuple[str, str, Callable[[float], str]], ...] = (
        (_("request → first output"), "first_output_s", human_seconds),
        (_("memory, asleep"), "memory_bytes", human_bytes),
        (_("computing: CPU time"), "cpu_s", human_seconds),
        (_("100,000 reads: CPU time"), "reads_s", human_seconds),
    )
    figure = Figure(figsize=(10.5, 2.9), layout="constrained")
    said = []
    for axes, (title, field, write) in zip(figure.subplots(1, 4, sharey=True), panels, strict=True):
        values: list[float | None] = [getattr(way, field) for way in ways]
        _bars(axes, values, write)
        axes.set_title(title, fontsize=10)
        known = [f"{name} {write(v)}" for name, v in zip(costs.titles, values, strict=True) if v is not None]
        said.append(f"{title}: {', '.join(known)}")
    names = [title.replace(" (", "\n(") for title in costs.titles]
    figure.axes[0].set_yticks(range(len(names)), names, fontsize=9)
    figure.axes[0].set_ylim(len(names) - 0.4, -0.6)
    figure.supxlabel(_("scales of powers of ten: read the figures, not the lengths"), fontsize=8)
    alt = _("Four ways to run a program, on scales of powers of ten. {said}.").format(said="; ".join(said))
    return Picture(figure, alt, costs.to_frame())


def _bars(axes: Axes, values: list[float | None], write: Callable[[float], str]) -> None:
    known = [value for value in values if value]
    axes.set_xscale("log")
    axes.set_xlim(min(known, default=1) / 4, max(known, default=1) * 40)
    for y, (value, colour, hatch) in enumerate(zip(values, COLOURS, HATCHES, strict=True)):
        if value is None:
            axes.text(0.03, y, _("open"), transform=axes.get_yaxis_transform(), va="center", color=GREY)
            continue
        axes.barh(y, value, height=0.6, color=colour, alpha=0.6, hatch=hatch, edgecolor=colour)
        axes.annotate(write(value), (value, y), (4, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set_xticks([])
    axes.minorticks_off()
    axes.spines[["top", "right", "bottom"]].set_visible(False)
