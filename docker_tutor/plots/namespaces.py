"""A picture of who shares which namespace with whom."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from docker_tutor.i18n import _
from docker_tutor.plots.palette import CONTAINER, HOST, ORANGE
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.namespaces import Matrix, Resident

__all__ = ["namespace_matrix"]

MEANINGS = {"net": "network", "mnt": "mount", "uts": "UTS (hostname)", "ipc": "IPC", "pid": "PID"}


def namespace_matrix(result: Matrix) -> Picture:
    """Draw namespaces × processes: same as outside, own, or shared with another container; in words, hatch, colour."""
    residents, kinds = result.residents, result.kinds
    figure = Figure(figsize=(1.6 + 1.55 * len(residents), 0.8 + 0.46 * len(kinds)), layout="constrained")
    axes = figure.add_subplot()
    for y, kind in enumerate(kinds):
        first: dict[int, Resident] = {}
        for x, resident in enumerate(residents):
            owner = first.setdefault(resident.inodes[kind], resident)
            _cell(axes, x, y, _style(result, resident, owner))
    axes.set_xlim(0, len(residents))
    axes.set_ylim(len(kinds), 0)
    axes.set_xticks([x + 0.5 for x in range(len(residents))], [each.name for each in residents])
    axes.set_yticks([y + 0.5 for y in range(len(kinds))], [MEANINGS.get(kind, kind) for kind in kinds])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(_("Whose namespace each process stands in"), pad=12)
    styles = (
        Patch(facecolor=HOST, alpha=0.35, edgecolor=HOST, label=_("the engine's")),
        Patch(facecolor=CONTAINER, alpha=0.35, edgecolor=CONTAINER, label=_("its own")),
        Patch(facecolor=ORANGE, alpha=0.35, edgecolor=ORANGE, hatch="///", label=_("another container's")),
    )
    figure.legend(handles=styles, loc="outside lower center", ncols=3, frameon=False, handlelength=2.4)
    return Picture(figure, _alt(result), result.to_frame())


def _style(result: Matrix, resident: Resident, owner: Resident) -> tuple[str, str, str]:
    if owner is result.outside:
        return HOST, "", _("the engine's")
    if owner is resident:
        return CONTAINER, "", _("own")
    return ORANGE, "///", _("that of {owner}").format(owner=owner.name)


def _cell(axes: Axes, x: int, y: int, style: tuple[str, str, str]) -> None:
    colour, hatch, word = style
    box = Rectangle((x + 0.03, y + 0.07), 0.94, 0.86, facecolor=colour, alpha=0.35, edgecolor=colour, hatch=hatch)
    axes.add_patch(box)
    plate = {"facecolor": "white", "edgecolor": "none", "pad": 1.5, "alpha": 0.9} if hatch else None
    axes.text(x + 0.5, y + 0.5, word, ha="center", va="center", fontsize=9, bbox=plate)


def _alt(result: Matrix) -> str:
    sentences = [_("A grid of {count} kinds of namespace and {residents} processes.")]
    words = [sentences[0].format(count=len(result.kinds), residents=len(result.residents))]
    for resident in result.containers:
        shared = [kind for kind in result.kinds if kind in result.shared(resident.name)]
        sentence = _("{name} shares with the engine: {kinds}.")
        words.append(sentence.format(name=resident.name, kinds=", ".join(shared) or _("nothing")))
    return " ".join(words)
