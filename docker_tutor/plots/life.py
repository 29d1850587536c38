"""The picture of one `docker run`: who did what, on one clock, from the command down to the program."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from docker_tutor.i18n import _
from docker_tutor.plots.palette import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.life import LANES, Life, Span

__all__ = ["life_of_a_run"]

LOOKS = {
    "docker": (GREY, ""),
    "HTTP": (BLUE, ""),
    "containerd": (PURPLE, ""),
    "shim": (SKY, "//"),
    "runc": (ORANGE, ""),
    "program": (GREEN, ".."),
}
ROOM_FOR_LABEL = 0.2
"""Of the width of the picture: what the longest label takes."""


def life_of_a_run(result: Life) -> Picture:
    """Draw every span in its own row, grouped by lane, in milliseconds after the command was started."""
    spans = [span for lane in LANES for span in result.lane(lane)]
    figure = Figure(figsize=(10, 0.27 * len(spans) + 1.4), layout="constrained")
    axes = figure.add_subplot()
    end_ms = result.duration_us / 1e3
    for y, span in enumerate(spans):
        _row(axes, y, span, end_ms)
    _lanes(axes, spans)
    axes.set_xlim(0, end_ms * 1.02)
    axes.set_ylim(len(spans) - 0.4, -0.6)
    axes.set_xlabel(_("milliseconds since the command was started"))
    axes.set_title(result.command)
    axes.spines[["top", "right", "left"]].set_visible(False)
    alt = _("A timeline of {count} things that one docker run sets in motion in {ms:.0f} ms. {runc}")
    runc = [span for span in result.lane("runc") if span.end_us]
    last = max((span.end_us or 0 for span in runc if "delete" not in span.label), default=0) / 1e3
    said = _("runc has ended for good {ms:.0f} ms after the start, and comes back only to delete.").format(ms=last)
    return Picture(figure, alt.format(count=len(spans), ms=end_ms, runc=said if runc else ""), result.to_frame())


def _row(axes: Axes, y: int, span: Span, end_ms: float) -> None:
    colour, hatch = LOOKS[span.lane]
    start = span.start_us / 1e3
    if span.end_us is None:
        axes.plot(start, y, "D", color=colour, markersize=6)
        end = start
    else:
        end = span.end_us / 1e3
        axes.barh(
            y,
            max(end - start, end_ms / 400),
            left=start,
            height=0.7,
            color=colour,
            alpha=0.55,
            hatch=hatch,
            edgecolor=colour,
        )
    # The label stands where there is room: behind the bar, else in it if it is long, else before it.
    if end < end_ms * (1 - ROOM_FOR_LABEL):
        at, offset, align = end, 5, "left"
    elif end - start > end_ms * ROOM_FOR_LABEL:
        at, offset, align = start, 5, "left"
    else:
        at, offset, align = start, -5, "right"
    axes.annotate(span.label, (at, y), (offset, 0), textcoords="offset points", va="center", ha=align, fontsize=8)


def _lanes(axes: Axes, spans: list[Span]) -> None:
    ticks, names = [], []
    for lane in LANES:
        rows = [y for y, span in enumerate(spans) if span.lane == lane]
        if rows:
            ticks.append(sum(rows) / len(rows))
            names.append(lane)
            axes.axhline(rows[-1] + 0.5, color=GREY, linewidth=0.5, alpha=0.5)
    axes.set_yticks(ticks, names)
    axes.tick_params(axis="y", length=0)
