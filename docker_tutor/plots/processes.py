"""The picture of what stands behind a container: who speaks to whom in which protocol, and who is whose parent."""

from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from docker_tutor.i18n import _
from docker_tutor.plots.palette import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.processes import Chain, Process

__all__ = ["process_chain"]

COLOURS = {"docker": GREY, "dockerd": BLUE, "containerd": PURPLE, "shim": SKY, "container": GREEN}
PROTOCOLS = {
    ("docker", "dockerd"): "HTTP",
    ("dockerd", "containerd"): "gRPC",
    ("containerd", "shim"): "ttrpc",
    ("shim", "container"): "parent of",
}
WIDTH, HEIGHT, STEP = 1.55, 0.9, 2.55


def process_chain(result: Chain) -> Picture:
    """Draw the command line, the daemons, the shim and the container's process in a row, and the runc that has gone."""
    first: dict[str, Process] = {}
    for process in result.processes:
        first.setdefault(process.role, process)
    roles = ["docker", *first]
    figure = Figure(figsize=(10.5, 2.6), layout="constrained")
    axes = figure.add_subplot()
    for number, role in enumerate(roles):
        _box(axes, number * STEP, role, first.get(role))
    for number, pair in enumerate(pairwise(roles)):
        _arrow(axes, number * STEP, PROTOCOLS.get(pair, ""), solid=pair == ("shim", "container"))
    between = (len(roles) - 1.5) * STEP
    _runc(axes, between, result)
    axes.set_xlim(-0.6 * WIDTH, (len(roles) - 1) * STEP + 0.6 * WIDTH)
    axes.set_ylim(-2.05, 0.6)
    axes.axis("off")
    named = ", ".join(f"{process.role} (PID {process.pid})" for process in first.values())
    alt = _("The command line speaks HTTP to the daemon; behind it stand {named}. {runc}")
    gone = _("No runc is left.") if not result.runc_pids else _("A runc is at work.")
    return Picture(figure, alt.format(named=named, runc=gone), result.to_frame())


def _box(axes: Axes, x: float, role: str, process: Process | None) -> None:
    from matplotlib.patches import FancyBboxPatch

    style = "round,pad=0.02,rounding_size=0.12"
    corner = (x - WIDTH / 2, -HEIGHT / 2)
    box = FancyBboxPatch(corner, WIDTH, HEIGHT, boxstyle=style, facecolor="white", edgecolor=COLOURS[role], linewidth=2)
    axes.add_patch(box)
    below = (
        _("gone when it has\nits answer")
        if process is None
        else f"PID {process.pid}\n" + _("parent") + f" {process.parent_pid}"
    )
    axes.text(x, 0.2, role, ha="center", va="center", fontsize=11, fontweight="bold")
    axes.text(x, -0.17, below, ha="center", va="center", fontsize=8)


def _arrow(axes: Axes, x: float, protocol: str, *, solid: bool) -> None:
    style = {"arrowstyle": "->", "color": GREY, "linewidth": 1.6, "linestyle": "-" if solid else "--"}
    axes.annotate("", (x + STEP - WIDTH / 2, 0), (x + WIDTH / 2, 0), arrowprops=style)
    axes.text(x + STEP / 2, 0.12, protocol, ha="center", va="bottom", fontsize=9)


def _runc(axes: Axes, x: float, result: Chain) -> None:
    from matplotlib.patches import FancyBboxPatch

    style = "round,pad=0.02,rounding_size=0.12"
    corner = (x - WIDTH / 2, -1.95)
    box = FancyBboxPatch(
        corner, WIDTH, 0.75, boxstyle=style, facecolor="white", edgecolor=ORANGE, linewidth=1.6, linestyle=":"
    )
    axes.add_patch(box)
    said = _("made it, and left") if not result.runc_pids else f"PID {result.runc_pids[0]}"
    axes.text(x, -1.4, "runc", ha="center", va="center", fontsize=11, fontweight="bold")
    axes.text(x, -1.72, said, ha="center", va="center", fontsize=8)
    style_of_arrow = {"arrowstyle": "->", "color": ORANGE, "linewidth": 1.4, "linestyle": ":"}
    axes.annotate("", (x - 0.35, -1.2), (x - STEP / 2 + 0.1, -HEIGHT / 2), arrowprops=style_of_arrow)
    axes.annotate("", (x + STEP / 2 - 0.1, -HEIGHT / 2), (x + 0.35, -1.2), arrowprops=style_of_arrow)
