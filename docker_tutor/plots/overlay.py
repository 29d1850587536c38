"""OverlayFS drawn: the same few files in the image, in the writable layer, and as the container sees them."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from docker_tutor.i18n import _
from docker_tutor.plots.palette import BLUE, GREEN, GREY, VERMILION
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.overlay import CopyUp, View
from docker_tutor.units import human_bytes, human_seconds

__all__ = ["copy_up", "overlay_view"]


def overlay_view(result: View) -> Picture:
    """Draw each file as a column: what lies below, what lies above it, and what is seen through both."""
    entries = result.entries
    figure = Figure(figsize=(2.0 + 1.15 * len(entries), 3.3), layout="constrained")
    axes = figure.add_subplot()
    rows = (_("lower (image)"), _("upper (writable)"), _("merged (seen)"))
    for x, entry in enumerate(entries):
        _file(axes, x, 0, entry.lower, GREY)
        if entry.upper in {"whiteout", "opaque"}:
            _file(axes, x, 1, f"✗ {entry.upper}", VERMILION, hatch="xxx")
        else:
            _file(axes, x, 1, entry.upper, GREEN)
        _file(axes, x, 2, entry.merged, BLUE)
        source = 1 if entry.upper == entry.merged and entry.merged else 0
        if entry.merged:
            arrow = FancyArrowPatch(
                (x + 0.5, source + 0.86), (x + 0.5, 2.12), arrowstyle="-|>", mutation_scale=11, color=BLUE
            )
            axes.add_patch(arrow)
    axes.set_xlim(0, len(entries))
    axes.set_ylim(-0.05, 3)
    axes.set_yticks([0.5, 1.5, 2.5], rows)
    names = [entry.path.removeprefix("/files/").replace("/", "/\n") for entry in entries]
    axes.set_xticks([x + 0.5 for x in range(len(entries))], names, family="monospace", fontsize=9)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(_("The same files in the image, in the writable layer, and as the container sees them"), fontsize=11)
    words = [
        _("{path}: below {lower}, above {upper}, seen {merged}").format(
            path=entry.path,
            lower=entry.lower or _("nothing"),
            upper=entry.upper or _("nothing"),
            merged=entry.merged or _("nothing"),
        )
        for entry in entries
    ]
    return Picture(figure, "; ".join(words) + ".", result.to_frame())


def copy_up(result: CopyUp) -> Picture:
    """Draw how long one byte takes the first time and the second, and what it adds to the writable layer."""
    figure = Figure(figsize=(9.6, 2.6), layout="constrained")
    clock, disk = figure.subplots(1, 2, sharey=True)
    acts = [_("append 1 byte"), _("append 1 byte again"), _("chmod another file")]
    seconds = [result.first_write_s, result.second_write_s, result.chmod_s]
    after = result.writable_after_write_bytes
    grown = [after - result.writable_before_bytes, 1, result.writable_after_chmod_bytes - after]
    for axes, values, words, label in (
        (
            clock,
            [value * 1e3 for value in seconds],
            [human_seconds(value) for value in seconds],
            _("milliseconds, log"),
        ),
        (disk, grown, [human_bytes(value) for value in grown], _("bytes added to the writable layer, log")),
    ):
        axes.barh(range(3), values, color=GREEN, alpha=0.6, edgecolor=GREEN)
        axes.set_xscale("log")
        axes.set_xlim(right=max(values) * 60)
        for y, (value, word) in enumerate(zip(values, words, strict=True)):
            axes.annotate(word, (value, y), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9)
        axes.set_xlabel(label)
        axes.spines[["top", "right"]].set_visible(False)
    clock.set_yticks(range(3), acts)
    clock.set_ylim(2.6, -0.6)
    size = human_bytes(result.file_bytes)
    figure.suptitle(_("A file of {size} in the image: the first change copies it whole").format(size=size))
    alt = _("The first append takes {first} and adds {grown}; the second takes {second}; a chmod takes {chmod}.")
    return Picture(
        figure,
        alt.format(
            first=human_seconds(result.first_write_s),
            grown=human_bytes(grown[0]),
            second=human_seconds(result.second_write_s),
            chmod=human_seconds(result.chmod_s),
        ),
        result.to_frame(),
    )


def _file(axes: Axes, x: int, y: int, text: str, colour: str, hatch: str = "") -> None:
    if not text:
        axes.add_patch(
            Rectangle((x + 0.1, y + 0.14), 0.8, 0.72, fill=False, edgecolor=GREY, linestyle=(0, (2, 3)), alpha=0.6)
        )
        return
    box = Rectangle((x + 0.1, y + 0.14), 0.8, 0.72, facecolor=colour, alpha=0.3, edgecolor=colour, hatch=hatch)
    axes.add_patch(box)
    plate = {"facecolor": "white", "edgecolor": "none", "pad": 1.2, "alpha": 0.9} if hatch else None
    axes.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=9, bbox=plate, zorder=5)
