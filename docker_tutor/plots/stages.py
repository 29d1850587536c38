"""Multi-stage builds: the stages as a graph, and what one stage or two leave in the image."""

from collections.abc import Mapping

import networkx as nx
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from docker_tutor.i18n import _
from docker_tutor.plots.palette import BLACK, BLUE, CACHED, GREEN, GREY, ORANGE, PURPLE, REBUILT, SKY
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.stage_graph import Fate, StageGraph, Why
from docker_tutor.topics.stages import Comparison
from docker_tutor.units import MiB, human_bytes

__all__ = ["stage_graph", "stage_sizes"]

PARTS = ((GREY, ""), (ORANGE, "///"), (PURPLE, "..."), (GREEN, "xxx"), (SKY, ""))
TEXTBOOK_MB = (880.0, 428.0)
"""The case that the text gives, before and after."""
COLUMNS_IN, ROW_IN = 9.3, 0.8
"""Inches for all columns of a graph, and for one row."""
BOX_IN = (0.62, 0.34)
"""How near an arrow may come to the middle of a box that it passes: half a box, and some air."""
BENDS = (0.0, 0.15, -0.15, 0.25, -0.25, 0.35, -0.35, 0.45, -0.45, 0.6, -0.6)
FATES = {"ran": (REBUILT, "-"), "cached": (CACHED, "-"), "skipped": (GREY, ":")}


def stage_sizes(result: Comparison) -> Picture:
    """Draw the two images as bars made of parts, and the textbook's pair above them for comparison."""
    figure = Figure(figsize=(9.6, 3.6), layout="constrained")
    axes = figure.add_subplot()
    for y, value in enumerate(TEXTBOOK_MB):
        axes.barh(y, value * 1e6 / MiB, height=0.6, color="white", edgecolor=GREY, linestyle="--")
        axes.annotate(f"{value:.0f} MB", (value * 1e6 / MiB, y), (5, 0), textcoords="offset points", va="center")
    parts = list(result.single.parts())
    for place, contents in ((2.3, result.single), (3.3, result.multi)):
        left = 0.0
        for (colour, hatch), size in zip(PARTS, contents.parts().values(), strict=True):
            width = size / MiB
            axes.barh(place, width, left=left, height=0.6, color=colour, alpha=0.65, edgecolor=colour, hatch=hatch)
            left += width
        axes.annotate(human_bytes(contents.size_bytes), (left, place), (5, 0), textcoords="offset points", va="center")
    names = [_("textbook, one stage"), _("textbook, two stages"), _("here, one stage"), _("here, two stages")]
    axes.set_yticks([0, 1, 2.3, 3.3], names)
    axes.set_ylim(3.8, -0.5)
    axes.set_xlim(0, max(TEXTBOOK_MB[0] * 1e6, result.single.size_bytes) / MiB * 1.12)
    axes.set_xlabel(_("files in the image, MiB"))
    axes.set_title(_("One program, two images: {percent:.0f} % less").format(percent=100 * result.saved))
    axes.spines[["top", "right"]].set_visible(False)
    styles = [
        Patch(facecolor=colour, alpha=0.65, edgecolor=colour, hatch=hatch, label=part)
        for part, (colour, hatch) in zip(parts, PARTS, strict=True)
    ]
    figure.legend(handles=styles, loc="outside lower center", ncols=len(styles), frameon=False, fontsize=9)
    alt = _("Bars: one stage {single}, two stages {multi}, {percent:.1f} % less. The textbook has 880 MB and 428 MB.")
    words = alt.format(
        single=human_bytes(result.single.size_bytes),
        multi=human_bytes(result.multi.size_bytes),
        percent=100 * result.saved,
    )
    return Picture(figure, words, result.to_frame())


def stage_graph(graph: StageGraph, fates: Mapping[str, Fate] | None = None) -> Picture:
    """Draw who is built on whom (line) and who copies from whom (dashes); with `fates`, what a build did with each."""
    places = _places(graph)
    columns = max(x for x, _y in places.values()) + 1
    rows = max(y for _x, y in places.values()) + 1
    bends = {edge: _bend(edge.source, edge.stage, places, COLUMNS_IN / columns) for edge in graph.edges}
    heights = [
        y / ROW_IN
        for edge, bend in bends.items()
        for _x, y in _curve(places[edge.source], places[edge.stage], bend, COLUMNS_IN / columns)
    ]
    top, bottom = min(-0.55, *heights), max(rows - 0.45, *heights) + 0.1
    figure = Figure(figsize=(9.6, 1.1 + ROW_IN * (bottom - top)), layout="constrained")
    axes = figure.add_subplot()
    boxes = {}
    for node, (x, y) in places.items():
        word, colour, line = _look(graph, fates, node)
        box = {
            "boxstyle": "round,pad=0.5",
            "facecolor": "white",
            "edgecolor": colour,
            "linewidth": 2,
            "linestyle": line,
        }
        written = axes.text(x, y, f"{node}\n{word}", ha="center", va="center", fontsize=9, bbox=box)
        boxes[node] = written.get_bbox_patch()
    for edge in graph.edges:
        begin, end = places[edge.source], places[edge.stage]
        style = {"arrowstyle": "->", "color": BLACK, "linewidth": 1.2, "linestyle": _line(edge.why)}
        style |= {"patchA": boxes[edge.source], "patchB": boxes[edge.stage], "shrinkA": 2, "shrinkB": 2}
        axes.annotate("", end, begin, arrowprops=style | {"connectionstyle": f"arc3,rad={bends[edge]}"}, zorder=4)
    styles = [
        Line2D([], [], color=BLACK, linewidth=1.2, linestyle="-", label=_("FROM: built on it")),
        Line2D([], [], color=BLACK, linewidth=1.2, linestyle="--", label=_("COPY --from, --mount: takes files")),
    ]
    figure.legend(handles=styles, loc="outside lower center", ncols=2, frameon=False, fontsize=9, handlelength=3)
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_ylim(bottom, top)
    axes.set_axis_off()
    axes.set_title(_("What the stages take from each other"))
    said = "; ".join(f"{edge.stage} {edge.why} {edge.source}" for edge in graph.edges)
    alt = _("A graph from left to right: {edges}.").format(edges=said)
    table = graph.to_frame()
    if fates:
        alt += " " + "; ".join(f"{stage}: {fate}" for stage, fate in fates.items()) + "."
        table = table.assign(build=[fates[stage] for stage in table["stage"]])
    return Picture(figure, alt, table)


def _look(graph: StageGraph, fates: Mapping[str, Fate] | None, node: str) -> tuple[str, str, str]:
    """Return the word under a box's name, its colour, and how its border is drawn."""
    if node in graph.images:
        return _("image"), GREY, "-"
    if fates is None:
        return _("stage"), BLUE, "-"
    words = {"ran": _("carried out"), "cached": _("from the cache"), "skipped": _("skipped")}
    return words[fates[node]], *FATES[fates[node]]


def _line(why: Why) -> str:
    return "-" if why == "FROM" else "--"


def _bend(source: str, stage: str, places: Mapping[str, tuple[float, float]], column_in: float) -> float:
    """Return the curvature with which an arrow passes by the boxes between its ends: the smallest that does."""
    others = [(x * column_in, y * ROW_IN) for node, (x, y) in places.items() if node not in {source, stage}]

    def free(bend: float) -> bool:
        points = _curve(places[source], places[stage], bend, column_in)
        return not any(abs(px - x) < BOX_IN[0] and abs(py - y) < BOX_IN[1] for px, py in points for x, y in others)

    return next((bend for bend in BENDS if free(bend)), BENDS[-1])


def _curve(
    begin: tuple[float, float], end: tuple[float, float], bend: float, column_in: float
) -> list[tuple[float, float]]:
    """Return points of matplotlib's `arc3` between two places, in inches from the top left."""
    (x0, y0), (x2, y2) = ((x * column_in, y * ROW_IN) for x, y in (begin, end))
    x1, y1 = (x0 + x2) / 2 - bend * (y2 - y0), (y0 + y2) / 2 + bend * (x2 - x0)
    steps = [step / 20 for step in range(21)]
    return [
        ((1 - t) ** 2 * x0 + 2 * t * (1 - t) * x1 + t * t * x2, (1 - t) ** 2 * y0 + 2 * t * (1 - t) * y1 + t * t * y2)
        for t in steps
    ]


def _places(graph: StageGraph) -> dict[str, tuple[float, float]]:
    """Put each node in the column after the last one that it waits for, in its order from top to bottom."""
    network = graph.network()
    places = {}
    generations = list(nx.topological_generations(network))
    tallest = max(len(generation) for generation in generations)
    order = {node: number for number, node in enumerate((*graph.images, *graph.stages))}
    for x, generation in enumerate(generations):
        nodes = sorted(generation, key=order.__getitem__)
        for y, node in enumerate(nodes):
            places[node] = (float(x), y + (tallest - len(nodes)) / 2)
    return places
