"""The picture of CPU time under a quota: lanes of periods, and above them the latency of a small request."""

from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from docker_tutor.i18n import _
from docker_tutor.plots.palette import BLACK, BLUE, GREY, LIMIT, ORANGE, PURPLE
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.cgroups import CpuLane, CpuQuota

__all__ = ["cpu_under_quota"]

SHOWN_S = 1.0
"""The lanes show this much from the start: ten periods of 100 ms. Percentiles are taken over the whole run."""

COLOURS = (BLUE, ORANGE, PURPLE, GREY)
MARKERS = ("o", "^", "s", "D")
WAIT: dict[str, Any] = {"facecolor": "#F7E3D6", "edgecolor": LIMIT, "hatch": "////", "linewidth": 0}


def cpu_under_quota(result: CpuQuota) -> Picture:
    """Draw each container's CPU use every 10 ms with its waits shaded, and above all the latency of small requests."""
    count = len(result.lanes)
    figure = Figure(figsize=(9, 3.4 + 1.55 * count), layout="constrained")
    rows = figure.subplots(count + 1, 1, sharex=True, squeeze=False, height_ratios=[1.9] + [1.0] * count)[:, 0]
    for axes in rows:
        axes.spines[["top", "right"]].set_visible(False)
    _latencies(rows[0], result)
    for place, lane in enumerate(result.lanes):
        _lane(rows[place + 1], lane, COLOURS[place % 4])
    rows[-1].set(xlabel=_("time in ms"), xlim=(0, SHOWN_S * 1000))
    figure.legend(handles=_meanings(), loc="outside lower left", ncols=4, frameon=False, fontsize=9)
    return Picture(figure, _alt(result), result.to_frame())


def _latencies(axes: Axes, result: CpuQuota) -> None:
    top = 1.0
    lines: list[tuple[float, str, str]] = []
    for place, lane in enumerate(result.lanes):
        colour = COLOURS[place % 4]
        shown = [reply for reply in lane.replies if reply.time_s <= SHOWN_S]
        p50, p99 = lane.latency_s(0.5) * 1000, lane.latency_s(0.99) * 1000
        words = _("{name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms").format(name=lane.name, p50=p50, p99=p99)
        times, took = [reply.time_s * 1000 for reply in shown], [reply.latency_s * 1000 for reply in shown]
        axes.plot(times, took, MARKERS[place % 4], color=colour, markersize=4.5, label=words)
        top = max([top, *took, p99 if lane.replies else 0])
        for height, style, name in ((p50, ":", _(" p50")), (p99, "-.", _(" p99"))):
            if 2 < height < float("inf"):  # what lies on the axis needs no line
                axes.axhline(height, color=colour, linestyle=style, linewidth=1.2)
                lines.append((height, name, colour))
    lowest = 0.0
    for height, name, colour in sorted(lines):
        lowest = max(lowest, height)
        axes.text(SHOWN_S * 1000, lowest, name, color=colour, va="center", fontsize=9)
        lowest += 0.07 * top  # the next label stands clear of this one
    axes.set(ylim=(0, top * 1.08), ylabel=_("latency in ms"))
    axes.set_title(_("A small request to each busy container every 10 ms"), loc="left", pad=24)
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 0.99), ncols=3, frameon=False, fontsize=9, handletextpad=0.2)


def _lane(axes: Axes, lane: CpuLane, colour: str) -> None:
    times = [sample.time_s * 1000 for sample in lane.samples]
    axes.fill_between(times, [0.0, *_rates(lane)], step="pre", color=colour, alpha=0.85, linewidth=0)
    for span in lane.throttled:
        axes.axvspan(span.start_s * 1000, span.end_s * 1000, **WAIT)
    for one, two in pairwise(lane.samples):
        if two.periods > one.periods:
            axes.axvline(two.time_s * 1000, color=BLACK, linewidth=0.8)
    if lane.quota_us is not None and lane.period_us:
        axes.axhline(lane.quota_us / lane.period_us, color=LIMIT, linestyle="--", linewidth=1.5)
    axes.set(ylim=(0, 1.3), yticks=[0, 1], ylabel=_("CPUs used"))
    words = _("{name}: throttled in {throttled} of {periods} periods, {used:.2f} CPUs on average")
    counts = {"throttled": lane.throttled_periods, "periods": lane.periods, "used": lane.used_cpus}
    axes.set_title(words.format(name=lane.name, **counts), loc="left", fontsize=10)


def _rates(lane: CpuLane) -> list[float]:
    return [(two.used_s - one.used_s) / max(two.time_s - one.time_s, 1e-9) for one, two in pairwise(lane.samples)]


def _meanings() -> list[Line2D | Patch]:
    return [
        Patch(color=GREY, label=_("running")),
        Patch(**WAIT, label=_("throttled: made to wait")),
        Line2D([], [], color=BLACK, linewidth=0.8, label=_("a new period begins")),
        Line2D([], [], color=LIMIT, linestyle="--", linewidth=1.5, label=_("quota ÷ period")),
    ]


def _alt(result: CpuQuota) -> str:
    parts = [
        _(
            "{name}: throttled in {throttled} of {periods} periods; a small request takes {p50:.1f} ms in the middle "
            "and {p99:.1f} ms at the 99th percentile."
        ).format(
            name=lane.name,
            throttled=lane.throttled_periods,
            periods=lane.periods,
            p50=lane.latency_s(0.5) * 1000,
            p99=lane.latency_s(0.99) * 1000,
        )
        for lane in result.lanes
    ]
    return _("Containers that spin under a CPU quota. ") + " ".join(parts)
