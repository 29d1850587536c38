"""The picture of several runtimes with the same container: how long it takes to start, and what a system call costs."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from docker_tutor.i18n import _
from docker_tutor.plots.palette import BLUE, GREY, ORANGE
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.runtimes import Comparison

__all__ = ["runtime_comparison"]


def runtime_comparison(result: Comparison) -> Picture:
    """Draw two rows of bars, start time in seconds and cost of a system call in microseconds (logarithmic)."""
    names = [each.name for each in result.tried]
    figure = Figure(figsize=(10, 0.5 * len(names) + 1.6), layout="constrained")
    starts, calls = figure.subplots(1, 2, sharey=True)
    _bars(starts, [each.start_s for each in result.tried], "{:.2f} s", BLUE, "")
    _bars(calls, [each.call_us for each in result.tried], "{:.2g} µs", ORANGE, "//")
    labels = [f"{each.name}\n{each.kernel or _('did not run')}" for each in result.tried]
    starts.set_yticks(range(len(names)), labels, fontsize=9)
    starts.set_ylim(len(names) - 0.4, -0.6)
    starts.set_xlabel(_("seconds for docker run of a program that does nothing"))
    calls.set_xlabel(_("microseconds for one system call"))
    known = [each.call_us for each in result.running if each.call_us]
    if known:
        calls.set_xscale("log")
        calls.set_xlim(min(known) / 3, max(known) * 6)
    said = [f"{e.name} {e.start_s:.2f} s, {e.call_us or 0:.2g} µs, {e.kernel}" for e in result.running if e.start_s]
    missing = [each.name for each in result.tried if not each.runs]
    alt = _("Start time, cost of a system call and the kernel inside: {said}. Not here: {missing}.")
    table = result.to_frame()
    return Picture(figure, alt.format(said="; ".join(said), missing=", ".join(missing) or _("none")), table)


def _bars(axes: Axes, values: list[float | None], words: str, colour: str, hatch: str) -> None:
    for y, value in enumerate(values):
        if value is None:
            axes.text(0.01, y, _("–"), transform=axes.get_yaxis_transform(), va="center", color=GREY)
            continue
        axes.barh(y, value, height=0.6, color=colour, alpha=0.6, hatch=hatch, edgecolor=colour)
        axes.annotate(words.format(value), (value, y), (4, 0), textcoords="offset points", va="center", fontsize=9)
    axes.margins(x=0.2)
    axes.spines[["top", "right"]].set_visible(False)
