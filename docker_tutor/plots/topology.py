"""A picture of the networks: each a bar, each container a box above, a line for each plug."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from docker_tutor.i18n import _
from docker_tutor.plots.palette import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.networks_topology import Network, Topology

__all__ = ["network_topology"]

LINES = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (PURPLE, ":"), (SKY, "-"), (GREY, "--"))
WIDTH, GAP = 2.6, 0.5


def network_topology(result: Topology, *, chosen: str | None = None) -> Picture:
    """Draw containers above the networks they are plugged into; `chosen` names a container or network to bring out."""
    containers, networks = result.containers, result.networks
    columns = max(len(containers), 1)
    figure = Figure(figsize=(min(16.0, max(6.0, 0.75 * (WIDTH + GAP) * columns + 1.2)), 2.0 + 0.85 * len(networks)))
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    right = columns * (WIDTH + GAP) - GAP
    styles = {network.name: LINES[place % len(LINES)] for place, network in enumerate(networks)}
    for row, network in enumerate(networks):
        _bar(axes, network, -1.2 * (row + 1), right, styles[network.name][0], bold=network.name == chosen)
    for column, container in enumerate(containers):
        _container(axes, result, container, column, styles, bold=container == chosen)
    axes.set_xlim(-0.2, right + 0.2)
    axes.set_ylim(-1.2 * len(networks) - 0.2, 2.1)
    axes.set_axis_off()
    axes.set_title(_("Containers and the networks they are plugged into"))
    return Picture(figure, _alt(result), result.to_frame())


def _bar(axes: Axes, network: Network, y: float, right: float, colour: str, *, bold: bool) -> None:
    bar = Rectangle((0, y), right, 0.62, facecolor=colour, alpha=0.25, edgecolor=colour, linewidth=3 if bold else 1.2)
    axes.add_patch(bar)
    words = [network.name, f"({network.driver})", network.subnet]
    if network.gateway:
        words.append(_("gateway {address}").format(address=network.gateway))
    plate = {"facecolor": "white", "edgecolor": "none", "pad": 1.5, "alpha": 0.85}
    text = "  ".join(word for word in words if word)
    axes.text(0.12, y + 0.31, text, ha="left", va="center", fontsize=9.5, bbox=plate, zorder=4)


def _container(
    axes: Axes, result: Topology, name: str, column: int, styles: dict[str, tuple[str, str]], *, bold: bool
) -> None:
    x = column * (WIDTH + GAP)
    box = FancyBboxPatch((x + 0.06, 1.06), WIDTH - 0.12, 0.78, boxstyle="round,pad=0.06", facecolor="white")
    box.set(edgecolor=BLACK, linewidth=3 if bold else 1.2)
    axes.add_patch(box)
    plugs = [plug for plug in result.plugs if plug.container == name]
    axes.text(x + WIDTH / 2, 1.45, "\n".join([name, *plugs[0].ports]), ha="center", va="center", fontsize=9.5)
    rows = [network.name for network in result.networks]
    for place, plug in enumerate(plugs):
        at = x + WIDTH * (place + 1) / (len(plugs) + 1)
        bottom = -1.2 * (rows.index(plug.network) + 1) + 0.62
        colour, line = styles[plug.network]
        axes.plot((at, at), (bottom, 1.0), color=colour, linestyle=line, linewidth=2, zorder=3)
        axes.plot(at, bottom, marker="s", color=colour, markersize=6, zorder=3)
        plate = {"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.9}
        axes.text(
            at,
            0.72 - 0.42 * place,
            plug.address or _("no address"),
            ha="center",
            va="center",
            fontsize=8.5,
            bbox=plate,
            zorder=5,
        )


def _alt(result: Topology) -> str:
    sentences = []
    for network in result.networks:
        ends = [
            f"{plug.container} ({plug.address or _('no address')})"
            for plug in result.plugs
            if plug.network == network.name
        ]
        sentence = _("Network {name}, driver {driver}: {containers}.")
        sentences.append(sentence.format(name=network.name, driver=network.driver, containers=", ".join(ends)))
    return " ".join(sentences) or _("No container is running.")
