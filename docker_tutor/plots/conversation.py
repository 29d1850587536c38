"""The picture of a command's conversation with the daemon: a sequence diagram on the clock."""

from matplotlib.figure import Figure

from docker_tutor.i18n import _
from docker_tutor.plots.palette import BLACK, BLUE, GREY, VERMILION
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.conversation import Conversation, Exchange

__all__ = ["sequence"]

FIRST_ERROR = 400
LEFT, RIGHT = 0.0, 1.0


def sequence(result: Conversation) -> Picture:
    """Draw two lifelines and every request between them, in the order in which they were asked."""
    count = len(result.exchanges)
    figure = Figure(figsize=(9, 0.62 * count + 1.5), layout="constrained")
    axes = figure.add_subplot()
    for x, name in ((LEFT, "docker"), (RIGHT, "dockerd")):
        axes.axvline(x, color=GREY, linewidth=1.5)
        box = {"boxstyle": "round", "facecolor": "white", "edgecolor": GREY}
        axes.text(x, -0.75, name, ha="center", va="center", bbox=box)
    for y, exchange in enumerate(result.exchanges):
        colour = VERMILION if exchange.status >= FIRST_ERROR else BLUE
        arrow = {"arrowstyle": "->", "color": colour, "linewidth": 1.8, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", (RIGHT, y), (LEFT, y), arrowprops=arrow)
        axes.text(0.02, y - 0.08, f"{exchange.method} {exchange.path}", va="bottom", fontsize=9.5, color=BLACK)
        axes.text(RIGHT + 0.03, y, _answer(exchange), va="center", fontsize=9)
        axes.text(LEFT - 0.03, y, f"{exchange.start_s * 1e3:.0f} ms", va="center", ha="right", fontsize=9, color=GREY)
    axes.set_xlim(-0.12, 1.42)
    axes.set_ylim(count - 0.4, -1.2)
    axes.axis("off")
    axes.set_title(result.command)
    alt = _("A sequence of {count} requests from docker to dockerd: {paths}.")
    return Picture(figure, alt.format(count=count, paths=", ".join(result.paths())), result.to_frame())


def _answer(exchange: Exchange) -> str:
    if exchange.upgraded:
        return _("{status}, then a raw stream for {ms:.0f} ms").format(
            status=exchange.status, ms=exchange.duration_s * 1e3
        )
    return _("{status} after {ms:.1f} ms").format(status=exchange.status, ms=exchange.duration_s * 1e3)
