"""A packet's journey, drawn: every place it was seen, the addresses it bore there, and where they were rewritten."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from docker_tutor.i18n import _
from docker_tutor.plots.palette import BLACK, BLUE, GREEN, GREY, ORANGE
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.journey import Hop, Journey

__all__ = ["packet_journey"]

WIDTH, GAP = 2.5, 0.55


def packet_journey(result: Journey) -> Picture:
    """Draw the request from left to right and its answer back, with rewritten addresses marked."""
    columns = max(len(result.there), len(result.back))
    figure = Figure(figsize=(max(9.0, 2.35 * columns), 4.4), layout="constrained")
    axes = figure.add_subplot()
    _row(axes, result, result.there, 0.0, list(range(len(result.there))))
    back = list(range(columns - 1, columns - 1 - len(result.back), -1))
    _row(axes, result, result.back, -2.1, back)
    axes.text(-0.1, 1.22, _("request →"), fontsize=11, weight="bold", va="bottom")
    axes.text(-0.1, -0.88, _("← answer"), fontsize=11, weight="bold", va="bottom")
    note = _("orange, dashed: rewritten since the place before · packets counted by the DNAT rule: {count}")
    axes.text(-0.1, -2.62, note.format(count=result.counted), fontsize=9, va="top", color=BLACK)
    axes.set_xlim(-0.25, columns * (WIDTH + GAP) - GAP + 0.25)
    axes.set_ylim(-2.95, 1.6)
    axes.set_axis_off()
    title = _("First packet each way of one request to the published port {port}")
    axes.set_title(title.format(port=result.host_port))
    return Picture(figure, _alt(result), result.to_frame())


def _row(axes: Axes, result: Journey, hops: tuple[Hop, ...], y: float, columns: list[int]) -> None:
    before: Hop | None = None
    for hop, column in zip(hops, columns, strict=False):
        x = column * (WIDTH + GAP)
        colour = {"container": BLUE, "machine": GREY}.get(hop.namespace, GREEN)
        box = FancyBboxPatch((x, y - 0.35), WIDTH, 1.42, boxstyle="round,pad=0.04", facecolor="white", edgecolor=colour)
        axes.add_patch(box)
        place = f"{hop.interface} {_role(result, hop)}".strip()
        axes.text(x + WIDTH / 2, y + 0.9, place, ha="center", va="center", fontsize=8.5, weight="bold")
        lines = ((_("from"), hop.source, before and before.source), (_("to"), hop.target, before and before.target))
        for line, (word, address, earlier) in enumerate(lines):
            changed = earlier is not None and earlier != address
            style = {"boxstyle": "round,pad=0.2", "facecolor": "none", "edgecolor": ORANGE, "linestyle": "--"}
            frame = style if changed else None
            middle = (x + WIDTH / 2, y + 0.55 - 0.36 * line)
            axes.text(*middle, f"{word} {address}", ha="center", va="center", fontsize=9, bbox=frame)
        when = _("{time:.0f} µs").format(time=hop.after_us) if hop.number else hop.namespace
        axes.text(x + WIDTH / 2, y - 0.18, when, ha="center", va="center", fontsize=8.5, color=colour)
        if before is not None:
            _arrow(axes, x, y + 0.36, rightwards=columns[0] < columns[-1])
        before = hop


def _arrow(axes: Axes, x: float, y: float, *, rightwards: bool) -> None:
    start, end = (x - GAP + 0.06, x - 0.06) if rightwards else (x + WIDTH + GAP - 0.06, x + WIDTH + 0.06)
    axes.annotate("", (end, y), (start, y), arrowprops={"arrowstyle": "->", "color": BLACK, "linewidth": 1.4})


def _role(result: Journey, hop: Hop) -> str:
    if hop.namespace != "machine":
        return _("(container)") if hop.namespace == "container" else ""
    if hop.interface == result.bridge:
        return _("(bridge)")
    return _("(cable)") if hop.interface == result.veth else ""


def _alt(result: Journey) -> str:
    words = [_("{place}: to {target}").format(place=hop.interface, target=hop.target) for hop in result.there]
    sentence = _("The request passes {count} places: {places}. The answer comes back with the sender {source}.")
    source = result.back[-1].source if result.back else _("unknown")
    return sentence.format(count=len(words), places="; ".join(words), source=source)
